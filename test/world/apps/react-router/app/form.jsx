import { useActionData } from "react-router";

export const action = async ({ request }) => (await request.formData()).get("name");

export default function Form() {
  return <p id="sent">{useActionData()}</p>;
}

export const GET = ({ redirect }) => redirect("/page");

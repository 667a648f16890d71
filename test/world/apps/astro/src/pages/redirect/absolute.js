export const GET = ({ url, redirect }) => redirect(new URL("/page", url).href);

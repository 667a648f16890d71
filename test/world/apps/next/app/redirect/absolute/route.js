import { NextResponse } from "next/server";

export const GET = (request) => NextResponse.redirect(new URL("/page", request.url));

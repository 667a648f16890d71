"""The questions of frameworks.test.ts, asked of FastAPI with its CORS middleware, for one fixed origin."""

import asyncio
from datetime import datetime, timezone

from fastapi import FastAPI, Form, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, StreamingResponse

app = FastAPI()
app.add_middleware(
    CORSMiddleware,
    allow_origins=["https://app.example.com"],
    allow_credentials=True,
    allow_methods=["*"],
    allow_headers=["*"],
)
released = asyncio.Event()


@app.get("/page")
def page():
    return HTMLResponse("<p>served by fastapi</p>")


@app.get("/asset")
def asset(request: Request):
    headers = {"etag": '"v1"'}
    if request.headers.get("if-none-match") == '"v1"':
        return Response(status_code=304, headers=headers)
    return PlainTextResponse("x" * 10_000, headers=headers)


@app.get("/redirect")
def redirect():
    return RedirectResponse("/page", 302)


@app.get("/redirect/absolute")
def absolute(request: Request):
    return RedirectResponse(request.url_for("page"), 302)


@app.get("/cookies")
def cookies():
    response = PlainTextResponse("set")
    response.set_cookie("plain", "1")
    response.set_cookie("shared", "2", domain=".shop.test", samesite="lax")
    response.set_cookie("dated", "3", expires=datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone.utc), httponly=True)
    return response


@app.get("/cookie")
def cookie(request: Request):
    return PlainTextResponse(request.headers.get("cookie", ""))


@app.get("/stream")
async def stream():
    released.clear()

    async def events():
        yield "data: first\n\n"
        await asyncio.wait_for(released.wait(), 20)
        yield "data: second\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@app.get("/release")
async def release():
    released.set()
    return PlainTextResponse("released")


@app.post("/form")
def form(name: str = Form()):
    return PlainTextResponse(name)


@app.get("/json")
def json():
    return {"served": "fastapi"}

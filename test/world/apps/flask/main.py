"""The questions of frameworks.test.ts, asked of Flask."""

import threading

from flask import Flask, Response, jsonify, redirect, request, url_for

app = Flask(__name__)
released = threading.Event()


@app.get("/page")
def page():
    return "<p>served by flask</p>"


@app.get("/asset")
def asset():
    response = Response("x" * 10_000, mimetype="text/plain")
    response.add_etag()
    return response.make_conditional(request)


@app.get("/redirect")
def relative():
    return redirect("/page")


@app.get("/redirect/absolute")
def absolute():
    return redirect(url_for("page", _external=True))


@app.get("/cookies")
def cookies():
    response = Response("set")
    response.set_cookie("plain", "1")
    response.set_cookie("shared", "2", domain=".shop.test", samesite="Lax")
    response.set_cookie("dated", "3", expires="Wed, 02 Jan 2030 03:04:05 GMT", httponly=True)
    return response


@app.get("/cookie")
def cookie():
    return Response(request.headers.get("Cookie", ""), mimetype="text/plain")


@app.get("/stream")
def stream():
    released.clear()

    def events():
        yield "data: first\n\n"
        released.wait(20)
        yield "data: second\n\n"

    return Response(events(), mimetype="text/event-stream")


@app.get("/release")
def release():
    released.set()
    return "released"


@app.post("/form")
def form():
    return request.form["name"]


@app.get("/json")
def json():
    return jsonify(served="flask")

"""A service with OpenTelemetry's SDK for Python. It calls the next one by a host that names no session."""

import os
import sys
from urllib.parse import urlsplit

import requests
from opentelemetry import trace
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(provider)
RequestsInstrumentor().instrument()


def call(url):
    parts = urlsplit(url)
    return requests.get(f"http://127.0.0.1:{parts.port}{parts.path}", headers={"Host": parts.netloc}, timeout=20).text


def exported():
    return [format(span.context.trace_id, "032x") for span in spans.get_finished_spans()]


port = int(os.environ["PORT"])
if sys.argv[1] == "flask":
    from flask import Flask, jsonify, request
    from opentelemetry.instrumentation.flask import FlaskInstrumentor

    app = Flask(__name__)
    FlaskInstrumentor().instrument_app(app)
    app.add_url_rule("/page", "page", lambda: "traces")
    app.add_url_rule("/call", "call", lambda: call(request.args["url"]))
    app.add_url_rule("/spans", "spans", lambda: jsonify(exported()))
    app.run("localhost", port)
else:
    import uvicorn
    from fastapi import FastAPI
    from fastapi.responses import PlainTextResponse
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    api = FastAPI()
    api.add_api_route("/page", lambda: "traces")
    api.add_api_route("/spans", exported)

    @api.get("/call")
    def called(url: str):
        return PlainTextResponse(call(url))

    FastAPIInstrumentor.instrument_app(api)
    uvicorn.run(api, host="localhost", port=port)

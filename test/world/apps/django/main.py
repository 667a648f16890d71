"""The questions of frameworks.test.ts, asked of Django with its middleware for security, CSRF and conditional GET."""

import sys
import threading
from datetime import datetime, timezone

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.urls import path

settings.configure(
    DEBUG=True,
    SECRET_KEY="of-the-tests",
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.http.ConditionalGetMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
)
released = threading.Event()


def page(request):
    return HttpResponse(f"<p>served by django</p><p id='csrf'>{get_token(request)}</p>")


def cookies(request):
    response = HttpResponse("set")
    response.set_cookie("plain", "1")
    response.set_cookie("shared", "2", domain=".shop.test", samesite="Lax")
    response.set_cookie("dated", "3", expires=datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone.utc), httponly=True)
    return response


def stream(request):
    released.clear()

    def events():
        yield "data: first\n\n"
        released.wait(20)
        yield "data: second\n\n"

    return StreamingHttpResponse(events(), content_type="text/event-stream")


def release(request):
    released.set()
    return HttpResponse("released")


urlpatterns = [
    path("page", page),
    path("asset", lambda request: HttpResponse("x" * 10_000, content_type="text/plain")),
    path("redirect", lambda request: HttpResponseRedirect("/page")),
    path("redirect/absolute", lambda request: HttpResponseRedirect(request.build_absolute_uri("/page"))),
    path("cookies", cookies),
    path("cookie", lambda request: HttpResponse(request.headers.get("Cookie", ""))),
    path("stream", stream),
    path("release", release),
    path("form", lambda request: HttpResponse(request.POST["name"])),
    path("json", lambda request: JsonResponse({"served": "django"})),
]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)

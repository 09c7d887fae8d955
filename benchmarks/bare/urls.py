from django.urls import include, path

from benchmarks.bare.views import CreateSession, Webhook

urlpatterns = [
    path("bare/sessions", CreateSession.as_view()),
    path("bare/hook", Webhook.as_view()),
    path("", include("example_project.urls")),
]

"""The payments API, to be included under any prefix."""

from django.urls import URLPattern

app_name = "medusa_payments"
urlpatterns: list[URLPattern] = []

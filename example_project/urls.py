from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("medusa_payments.urls")),
    path("stripe/", include("djstripe.urls", namespace="djstripe")),
    path("", include("example_project.shop.urls")),
]

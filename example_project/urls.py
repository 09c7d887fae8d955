from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularSwaggerView

api_docs = SpectacularSwaggerView.as_view(
    url_name="medusa_payments:OpenApiDocument", authentication_classes=()
)

urlpatterns = [
    path("admin/", admin.site.urls),
    re_path(r"^api/docs/?$", api_docs, name="api-docs"),
    path("api/", include("medusa_payments.urls")),
    path("stripe/", include("djstripe.urls", namespace="djstripe")),
    path("", include("example_project.shop.urls")),
]

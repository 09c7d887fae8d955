from django.urls import path

from example_project.shop import views

app_name = "shop"
urlpatterns = [path("", views.index, name="index")]

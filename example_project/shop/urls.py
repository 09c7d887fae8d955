from django.urls import path

from example_project.shop import views

app_name = "shop"
urlpatterns = [
    path("", views.index, name="index"),
    path("cart/", views.cart, name="cart"),
    path("cart/add/<slug:slug>/", views.add, name="add"),
    path("cart/remove/<int:line>/", views.remove, name="remove"),
    path("checkout/<str:cart_id>/", views.checkout, name="checkout"),
    path("checkout/<str:cart_id>/done/", views.done, name="done"),
    path("orders/<str:order_id>/", views.order, name="order"),
    path("orders/<str:order_id>/status/", views.order_status, name="order-status"),
]

// A second click while the provider is asked would only be answered "conflict".
"use strict";
{
    const form = document.querySelector("form.mp-once");
    form.addEventListener("submit", function (event) {
        if (form.dataset.sent) {
            event.preventDefault();
            return;
        }
        form.dataset.sent = "yes";
        const button = form.querySelector("input[type=submit]");
        button.value = button.dataset.busy;
    });
    // Back in the browser's history the page may be sent again: it is the same act.
    window.addEventListener("pageshow", function () {
        delete form.dataset.sent;
    });
}

document.body.dataset.hydrated = "yes";

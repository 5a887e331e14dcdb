// Buttons with data-copy put that text on the clipboard and say so, also to a screen reader.
(function () {
  function select(text) {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "visually-hidden";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }

  // The clipboard interface exists only on https and localhost; many archives start on plain http.
  async function put(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return select(text);
    }
  }

  function say(button, done) {
    const use = button.querySelector("use");
    const href = use && use.getAttribute("href");
    document.getElementById("announcements").textContent = done ? "Copied " + button.dataset.copy : "Not copied. Select the text instead.";
    if (!use || button.classList.contains("done") || !done) return;
    button.classList.add("done");
    use.setAttribute("href", href.replace(/#.*/, "#checked"));
    setTimeout(() => { button.classList.remove("done"); use.setAttribute("href", href); }, 1600);
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const done = await put(button.dataset.copy);
    button.focus();
    say(button, done);
  });
})();

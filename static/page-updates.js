// What htmx needs around it: polls rest while nobody looks and never take away what somebody holds; lost
// connections are said; focus and open details survive a swap. A poll is an element whose trigger has "refresh".
(function () {
  const POLL = '[hx-trigger*="refresh"]';
  const HELD = "input:not([type=hidden], [hx-preserve]), textarea, select";
  const problems = () => document.getElementById("problems");
  const isPoll = (element) => element.matches && element.matches(POLL);

  function refreshPolls() {
    if (document.hidden) return;
    for (const element of document.querySelectorAll(POLL)) htmx.trigger(element, "refresh");
  }
  document.addEventListener("visibilitychange", refreshPolls);
  window.addEventListener("online", refreshPolls);

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && isPoll(event.detail.elt)) event.preventDefault();
    else if (!isPoll(event.detail.elt) && problems()) problems().replaceChildren();
  });

  // ---- What a swap must not lose -------------------------------------------------------------------------------
  let held = null;

  function trace(element) {
    if (!element || element === document.body) return null;
    const form = element.closest("form");
    return [element.tagName, element.getAttribute("href"), element.getAttribute("name"), element.textContent.trim(),
      element.getAttribute("aria-label"), form && form.getAttribute("action")].join("|");
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { elt, target, shouldSwap } = event.detail;
    if (!shouldSwap || !target) return;
    const active = target.contains(document.activeElement) ? document.activeElement : null;
    const typing = active && active.matches(HELD);
    if (isPoll(elt) && (typing || target.querySelector("details.menu[open]"))) {
      event.detail.shouldSwap = false;
      return;
    }
    held = { mark: trace(active), tag: active && active.tagName,
      details: [...target.querySelectorAll("details[id]")].map((d) => [d.id, d.open]) };
  });

  // What comes along elsewhere on the page keeps its open menus and the focus too.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target } = event.detail;
    if (!held || !target) return;
    held.details.push(...[...target.querySelectorAll("details[id]")].map((d) => [d.id, d.open]));
    if (!held.mark && target.contains(document.activeElement)) {
      held.mark = trace(document.activeElement);
      held.tag = document.activeElement.tagName;
    }
  });

  document.addEventListener("htmx:afterSettle", () => {
    const last = held;
    held = null;
    if (!last) return;
    for (const [id, open] of last.details) {
      const found = document.getElementById(id);
      if (found) found.open = open;
    }
    const lost = document.activeElement === document.body || document.activeElement === null;
    if (!last.mark || !lost) return;
    const same = [...document.querySelectorAll(last.tag)].find((element) => trace(element) === last.mark);
    if (same) same.focus({ preventScroll: true });
  });

  // ---- Faults: at the head of the page, in sight if the reader asked, gone when what failed works again ------------
  function point(element) {
    const place = problems();
    if (!place) return;
    place.dataset.from = isPoll(element) ? "poll" : "reader";
    if (!isPoll(element)) place.scrollIntoView({ block: "nearest" });
  }

  function lost(event) {
    const words = document.getElementById("offline");
    if (!words || !problems() || document.hidden) return;
    problems().replaceChildren(words.content.cloneNode(true));
    point(event.detail.elt);
  }
  document.addEventListener("htmx:sendError", lost);
  document.addEventListener("htmx:timeout", lost);
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target === problems()) point(event.detail.elt === problems() ? event.detail.requestConfig.elt : event.detail.elt);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const worked = event.detail.successful && isPoll(event.detail.elt);
    if (worked && problems() && problems().dataset.from === "poll") problems().replaceChildren();
  });
  document.addEventListener("htmx:afterSettle", () => {
    const errors = document.getElementById("errors");
    if (!errors || errors.dataset.seen || errors.contains(document.activeElement)) return;
    errors.dataset.seen = "yes";
    errors.focus();
  });
})();

// Forms whose fields save themselves, those of a dataset and of a request for access: nothing typed is lost when that fails.
(function () {
  const form = document.getElementById("deposit");
  if (!form) return;
  const mine = (field) => field.form === form && /^([a-z_]+|files\.\d+\.[a-z0-9_]+)$/.test(field.name) && !["csrf_token", "once", "then"].includes(field.name);
  const saving = new Map(), clashes = new Map();
  let unsaved = new Set(), stuck = false, ready = false, leaving = false;
  let page = location.pathname;

  // What is typed stays in this browser until the archive has it: a sign-in that ran out takes nothing away.
  // With it stays what the field held before, so that a restored word meets another window's as a typed one does.
  const key = (name, at) => "omix-typed:" + form.dataset.account + ":" + (at || page) + ":" + name;
  const keep = (name, value) => { try { localStorage.setItem(key(name), JSON.stringify([value, was(name) ? was(name).value : null])); } catch { /* no room */ } };
  const forget = (name) => { try { localStorage.removeItem(key(name)); } catch { /* none */ } };
  const kept = (name) => { try { return JSON.parse(localStorage.getItem(key(name))); } catch { return null; } };
  const value = (field) => (field.type === "checkbox" ? (field.checked ? field.value : "") : field.value);
  // As the archive writes it: blanks and the case of a BioProject are no other words.
  const plain = (name, text) => (name === "bioproject" ? text.toUpperCase() : text).trim().replace(/\s+/g, " ");
  const was = (name) => form.elements["was." + name];

  function note(field, words, tone) {
    const box = field.closest(".field") || field.parentElement;
    let place = box.querySelector(".save-status");
    if (!place) { place = document.createElement("div"); place.className = "save-status"; place.setAttribute("role", "status"); box.append(place); }
    place.textContent = words;
    place.className = "save-status t-" + tone;
    field.classList.toggle("is-invalid", tone === "bad");
    if (tone === "bad") field.setAttribute("aria-invalid", "true"); else field.removeAttribute("aria-invalid");
    const old = document.getElementById("f-" + field.name + "-e");
    if (old && tone !== "bad") old.remove();
  }

  async function save(field, restored) {
    const typed = value(field), body = new FormData();
    body.append("csrf_token", form.elements.csrf_token.value);
    if (form.elements.once) body.append("once", form.elements.once.value);
    body.append("field", field.name);
    body.append("value", typed);
    const before = was(field.name);
    if (before) body.append("was", before.value);
    if (!restored) keep(field.name, typed);
    note(field, "Saving", "mute");
    let answer;
    try { answer = await fetch(form.dataset.autosaveUrl, { method: "POST", body, redirect: "manual" }); }
    catch { stuck = true; note(field, "Not saved: the connection is gone. It is kept in this browser.", "warn"); return; }
    if (answer.status === 409) {
      const clash = await answer.json();
      note(field, clash.fault + (clash.stored === null ? "" : " Change yours once more to replace it."), "bad");
      // A word of another window is read before it is replaced: the form waits for one more press.
      if (clash.stored !== null) { stuck = true; clashes.set(field.name, (clashes.get(field.name) || 0) + 1); remember(field.name, clash.stored); }
      return;
    }
    if (answer.status === 422) { note(field, (await answer.json()).fault, "warn"); return; }
    if (!answer.ok) { stuck = true; note(field, "Not saved: you are signed out. Sign in in another tab; what you typed is kept here.", "warn"); return; }
    const said = await answer.json();
    remember(field.name, said.value);
    if (value(field) === typed) { unsaved.delete(field.name); forget(field.name); }
    note(field, said.fault || "Saved " + said.saved + (field.name === "release_date" && said.opens ? ". It opens at " + said.opens + ", once it is approved." : ""), said.fault ? "bad" : "mute");
    if (location.pathname !== said.address && page === location.pathname) move(said);
  }

  // The first field made a draft: from now on this page is the draft's.
  function move(said) {
    const left = page;
    history.replaceState(null, "", said.address);
    page = location.pathname;
    for (const name of new Set(Array.from(form.elements, (field) => field.name))) {
      try {
        const typed = localStorage.getItem(key(name, left));
        if (typed !== null) { localStorage.setItem(key(name), typed); localStorage.removeItem(key(name, left)); }
      } catch { /* none */ }
    }
    form.action = said.address;
    form.dataset.autosaveUrl = said.address + "/field";
  }

  function remember(name, text) {
    let before = was(name);
    if (!before) {
      before = Object.assign(document.createElement("input"), { type: "hidden", name: "was." + name });
      form.append(before);
    }
    before.value = text;
  }

  // One request a field at a time, and one draft only: the first field of a new form goes before the others.
  let queue = Promise.resolve();
  function soon(field, restored = false) {
    if (!form.dataset.autosaveUrl) return;
    // What was asked for before another window's word was shown replaces it no more.
    const known = clashes.get(field.name);
    queue = queue.then(() => (clashes.get(field.name) === known ? save(field, restored) : null)).catch(() => {});
  }

  document.addEventListener("input", (event) => {
    if (!mine(event.target)) return;
    unsaved.add(event.target.name);
    keep(event.target.name, value(event.target));
    clearTimeout(saving.get(event.target.name));
    saving.set(event.target.name, setTimeout(() => soon(event.target), 1500));
  });
  document.addEventListener("change", (event) => {
    if (!mine(event.target)) return;
    clearTimeout(saving.get(event.target.name));
    soon(event.target);
  });
  document.addEventListener("submit", (event) => {
    if (event.target !== form) return;
    saving.forEach(clearTimeout);
    // Pressed twice, it is sent once.
    if (leaving) { event.preventDefault(); return; }
    if (ready || !form.dataset.autosaveUrl || !unsaved.size) {
      // Rows leave with the form that declares them: kept longer they would come back beside their files.
      if (!form.dataset.autosaveUrl) unsaved.forEach((name) => { if (name.startsWith("files.")) forget(name); });
      unsaved = new Set();
      leaving = true;
      setTimeout(() => { leaving = false; }, 5000);
      return;
    }
    // First what is typed: a page that cannot save it any more is not left.
    event.preventDefault();
    stuck = false;
    leaving = true;
    const typed = Array.from(form.elements).filter((field) => unsaved.has(field.name) && mine(field) && (field.type !== "radio" || field.checked));
    typed.forEach((field) => soon(field));
    // In a turn of its own: a form that is just being submitted ignores to be submitted again.
    queue.then(() => setTimeout(() => {
      leaving = false;
      if (stuck) return;
      ready = true;
      form.requestSubmit(event.submitter && event.submitter.form === form ? event.submitter : null);
      ready = false;
    }));
  });
  // Human data are preset to controlled; who ever pressed one of the two has chosen.
  let chosen = form.hasAttribute("data-access-chosen");
  const accesses = form.querySelectorAll("input[name=access]");
  accesses.forEach((field) => field.addEventListener("click", (event) => { chosen = chosen || event.isTrusted; }));
  // Human data have one species: it is filled in where none is written.
  form.addEventListener("change", (event) => {
    const species = form.querySelector("input[name=species]");
    if (event.target.name !== "human" || !event.target.checked || !species || species.value.trim()) return;
    species.value = form.dataset.humanSpecies;
    species.dispatchEvent(new Event("change", { bubbles: true }));
  });
  form.addEventListener("change", (event) => {
    const controlled = form.querySelector("input[name=access][value=controlled]");
    if (event.target.name !== "human" || !event.target.checked || chosen || !controlled || controlled.checked) return;
    controlled.checked = true;
    controlled.dispatchEvent(new Event("change", { bubbles: true }));
    note(event.target, "Access is now controlled; choose open if that is meant.", "mute");
  });
  // Back on this page it can be sent again.
  window.addEventListener("pageshow", (event) => { if (event.persisted) leaving = false; });
  window.addEventListener("beforeunload", (event) => { if (unsaved.size) event.preventDefault(); });

  // Typed before and never saved: it stands in its field again, in a row of its own where the row is not here.
  async function rows() {
    const typed = key("files."), here = new Set();
    for (let at = 0; at < localStorage.length; at += 1) {
      const name = localStorage.key(at);
      if (name.startsWith(typed)) here.add(name.slice(typed.length).split(".")[0]);
    }
    for (const n of here) if (!document.getElementById("new-file-" + n)) await htmx.ajax("GET", page + "/rows/" + n, { target: "#new-files", swap: "beforeend" });
  }

  function restore() { for (const field of document.querySelectorAll("input, textarea, select")) {
    if (!mine(field) || field.type === "radio") continue;
    const found = kept(field.name);
    if (found === null) continue;
    const [before, base] = found;
    if (plain(field.name, before) === plain(field.name, value(field))) { forget(field.name); continue; }
    if (field.type === "checkbox") field.checked = before !== ""; else field.value = before;
    if (base !== null) remember(field.name, base);
    unsaved.add(field.name);
    note(field, "You typed this before; it was not saved.", "warn");
    soon(field, true);
  } }
  (form.dataset.autosaveUrl && window.htmx ? rows() : Promise.resolve()).catch(() => {}).then(restore);
  if (document.getElementById("errors")) unsaved.add("");
})();

// Uploads that survive: many files and whole folders by drag and drop, sent by tus, so that a broken line, a reload or a
// day in between costs only the last piece; the MD5 of each is computed meanwhile and compared with what arrived.
(function () {
  const panel = document.getElementById("uploader");
  if (!panel || !window.tus || !tus.isSupported) return;
  const { endpoint, dataset, quotaLeft, recommended, as } = panel.dataset;
  const list = panel.querySelector("ul"), total = panel.querySelector(".total"), hint = panel.querySelector(".hint");
  const token = JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRFToken"];
  const AT_ONCE = 3, RETRIES = [0, 1000, 3000, 5000, 10000, 20000];
  const PLAIN = /^[A-Za-z0-9_,][A-Za-z0-9._\-+=@,]*$/;
  const rows = [];
  let began = 0, base = 0;

  // In the form of a dataset its access may change while one looks; bytes go where it says when they are sent.
  function realmNow() {
    const access = document.querySelector("input[name=access]:checked");
    return access ? (access.value === "controlled" ? "protected" : "open") : panel.dataset.realm;
  }

  panel.hidden = false;
  document.querySelectorAll("[data-without-scripts]").forEach((element) => { element.hidden = true; });

  // ---- Words -------------------------------------------------------------------------------------------------------
  // As the pages of the archive write sizes: in 1000.
  const UNITS = ["B", "kB", "MB", "GB", "TB"];
  function size(count) {
    let unit = 0;
    while (count >= 999.5 && unit < 4) { count /= 1000; unit += 1; }
    return (unit ? count.toFixed(count < 9.995 ? 2 : count < 99.95 ? 1 : 0) : count) + " " + UNITS[unit];
  }

  // Advice, never a refusal.
  function advice(file, name) {
    const packed = /\.(tar|tgz|tar\.gz|tar\.bz2|tar\.xz|zip|rar|7z)$/i.test(name);
    const most = Number(packed ? panel.dataset.packageGib : panel.dataset.fileGib);
    if (file.size <= most * 1e9) return "";
    return "Over " + most + " GB: " + (packed ? "packages are better made smaller" : "checking takes long, smaller files are better");
  }

  function time(seconds) {
    if (!isFinite(seconds)) return "";
    if (seconds < 90) return Math.max(1, Math.round(seconds)) + " s left";
    if (seconds < 5400) return Math.round(seconds / 60) + " min left";
    return (seconds / 3600).toFixed(1) + " h left";
  }

  // A name that the archive takes. The archive knows better ones, in letters of ours for those of other scripts: see ask().
  function mend(path) {
    return path.split("/").map((part) => {
      const plain = part.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").trim().replace(/[^A-Za-z0-9._\-+=@,]+/g, "_")
        .replace(/_+(?=\.|$)/g, "").replace(/\.+$/, "").replace(/^[=\-+@_]+/, "");
      return (plain.startsWith(".") && !part.startsWith(".") ? "file" + plain : plain).replace(/^[=\-+@._]+/, "");
    }).filter(Boolean).join("/");
  }

  // Offer the archive's name in place of ours, unless somebody types one meanwhile.
  async function ask(row) {
    const ours = row.field.value;
    try {
      const answer = await fetch(panel.dataset.suggestUrl + "?name=" + encodeURIComponent(row.path) + "&realm=" + realmNow());
      const better = answer.ok ? (await answer.json()).suggestion : "";
      if (better && row.field.value === ours) row.field.value = unique(row, better);
    } catch { /* the line broke: ours will do */ }
  }

  // What operating systems and office programs lay beside data: never data, so never sent.
  const COMPANION = /(^|\/)(\._[^/]+|~\$[^/]+|\.DS_Store|thumbs\.db|desktop\.ini)$/i;
  let leftOut = 0;

  function leaveOut() {
    leftOut += 1;
    const line = panel.querySelector(".left-out");
    line.textContent = leftOut + (leftOut === 1 ? " companion file" : " companion files") +
      " of the operating system (._x, .DS_Store, Thumbs.db) left out.";
    line.hidden = false;
  }

  // run/a.csv, or run/a_2.csv where another row bears that name.
  function unique(row, name) {
    const others = rows.filter((other) => other !== row);
    const taken = new Set(others.map((other) => (other.state === "name" ? other.field.value : other.name)));
    const folder = name.slice(0, name.lastIndexOf("/") + 1), base = name.slice(folder.length), dot = base.indexOf(".");
    const stem = dot > 0 ? base.slice(0, dot) : base, ending = dot > 0 ? base.slice(dot) : "";
    let free = name;
    for (let n = 2; taken.has(free); n += 1) free = folder + stem + "_" + n + ending;
    return free;
  }

  const isPlain = (path) => path.split("/").every((part) => PLAIN.test(part));

  // ---- Rows --------------------------------------------------------------------------------------------------------
  function element(name, text, attributes) {
    const made = Object.assign(document.createElement(name), attributes || {});
    if (text) made.textContent = text;
    return made;
  }

  function button(row, word, act) {
    const made = element("button", word, { type: "button", className: "btn btn-row" });
    made.append(element("span", " " + row.path, { className: "visually-hidden" }));
    made.addEventListener("click", () => act(row));
    return made;
  }

  function draw(row) {
    row.says.textContent = row.sentence || "";
    row.item.className = "upload t-" + (row.state === "bad" ? "bad" : row.state === "done" ? "ok" : "wait");
    row.bar.value = row.sent;
    row.bar.hidden = row.state === "done" || row.state === "bad" || row.state === "name";
    const offers = { sending: [["Pause", pause]], waiting: [["Remove", remove]], paused: [["Resume", wait], ["Remove", remove]],
      bad: [["Try again", wait], ["Remove", remove]], name: [["Send under this name", consent], ["Remove", remove]] };
    row.acts.replaceChildren(...(offers[row.state] || []).map(([word, act]) => button(row, word, act)));
    row.field.hidden = row.state !== "name";
    tally();
  }

  function add(file, path) {
    const own = path || file.webkitRelativePath || file.name, wanted = as && !rows.length ? as : own;
    if (COMPANION.test(own)) { leaveOut(); return; }
    if (rows.some((row) => row.path === wanted && row.state !== "done")) return;
    const row = { file, path: wanted, name: wanted, sent: 0, state: "waiting", sentence: size(file.size) };
    row.item = element("li");
    row.says = element("span", "", { className: "small muted" });
    row.bar = element("progress", "", { max: file.size || 1, value: 0 });
    row.bar.setAttribute("aria-label", "Sending " + wanted);
    row.acts = element("span", "", { className: "actions" });
    row.field = element("input", "", { className: "form-control mono", value: mend(wanted), hidden: true });
    row.field.setAttribute("aria-label", "Store " + wanted + " as");
    row.item.append(element("span", wanted, { className: "mono name" }), row.field, row.bar, row.says, row.acts, element("span", advice(file, wanted), { className: "small muted advice" }));
    row.field.value = unique(row, row.field.value);
    list.append(row.item);
    rows.push(row);
    const ahead = rows.reduce((sum, other) => sum + (other.state === "done" || other.state === "bad" ? 0 : other.file.size - other.sent), 0);
    if (quotaLeft && ahead > Number(quotaLeft)) fail(row, "It has " + size(file.size) + "; with what is chosen already that is more than the " + size(Number(quotaLeft)) + " left of the quota.");
    else if (!isPlain(wanted)) { row.state = "name"; row.sentence = "This name holds characters that the archive does not take. Store it under the name above?"; draw(row); ask(row); }
    else { draw(row); next(); }
  }

  function consent(row) {
    const name = row.field.value.trim();
    if (!isPlain(name)) { row.sentence = "Letters, digits and . _ - + = @ , only; no spaces."; draw(row); row.field.focus(); return; }
    row.name = name;
    wait(row);
  }

  function wait(row) {
    if (row.whole && !row.differs) { row.compared = false; row.state = "sending"; compare(row); return; }
    if (row.differs) Object.assign(row, { upload: null, whole: false, differs: false, compared: false, sent: 0 });
    row.state = "waiting";
    row.sentence = "Waiting";
    draw(row);
    next();
  }

  function pause(row) {
    row.upload.abort();
    row.state = "paused";
    row.sentence = "Paused at " + size(row.sent) + " of " + size(row.file.size);
    draw(row);
    next();
  }

  function remove(row) {
    if (row.upload) row.upload.abort(true).catch(() => {});
    if (row.worker) row.worker.terminate();
    row.item.remove();
    rows.splice(rows.indexOf(row), 1);
    tally();
    next();
  }

  function fail(row, sentence) { row.state = "bad"; row.sentence = sentence; draw(row); next(); }

  // ---- Sending -----------------------------------------------------------------------------------------------------
  function next() {
    let free = AT_ONCE - rows.filter((row) => row.state === "sending" && !row.whole).length;
    for (const row of rows) {
      if (free <= 0) return;
      if (row.state === "waiting") { free -= 1; send(row); }
    }
  }

  async function send(row) {
    row.state = "sending";
    row.sentence = "Sending";
    if (!began) { began = Date.now(); base = 0; }
    digest(row);
    row.realm = row.upload ? row.realm : realmNow();
    row.upload = row.upload || build(row);
    if (!row.upload.url) {
      const earlier = await row.upload.findPreviousUploads();
      if (earlier.length) row.upload.resumeFromPreviousUpload(earlier[earlier.length - 1]);
    }
    if (row.state !== "sending") return;
    draw(row);
    row.upload.start();
  }

  function build(row) {
    const metadata = { filename: row.name, realm: row.realm };
    if (dataset) metadata.dataset = dataset;
    return new tus.Upload(row.file, {
      endpoint, metadata, retryDelays: RETRIES, removeFingerprintOnSuccess: true,
      headers: { "X-CSRFToken": token },
      fingerprint: () => Promise.resolve(["omix", row.name, row.file.size, row.file.lastModified, row.realm, dataset || ""].join("|")),
      onShouldRetry: (error) => {
        const status = error.originalResponse ? error.originalResponse.getStatus() : 0;
        return !status || status === 409 || status === 423 || status >= 500;
      },
      onProgress: (sent) => { row.sent = sent; row.sentence = size(sent) + " of " + size(row.file.size); draw(row); },
      onError: (error) => fail(row, reason(error)),
      onSuccess: () => { row.sent = row.file.size; row.whole = true; row.sentence = "Arrived; comparing its MD5"; draw(row); next(); compare(row); },
    });
  }

  function reason(error) {
    const answer = error.originalResponse;
    if (!answer) return "The connection broke. What arrived is kept: try again to go on.";
    let said = {};
    try { said = JSON.parse(answer.getBody()); } catch { /* not from the archive itself */ }
    if (answer.getStatus() === 401 || said.code === "old_page") return "You are no longer signed in. Sign in in another tab, reload this page and choose the file again: it goes on.";
    return said.detail || "The archive answered " + answer.getStatus() + ".";
  }

  // ---- Comparing ---------------------------------------------------------------------------------------------------
  function digest(row) {
    if (row.worker) return;
    row.worker = new Worker(panel.dataset.workerUrl);
    row.worker.onmessage = ({ data }) => {
      if (data.md5) { row.md5 = data.md5; row.worker.terminate(); compare(row); }
      if (data.error) { row.worker.terminate(); fail(row, "The file cannot be read any more: " + data.error); }
    };
    row.worker.postMessage({ file: row.file });
  }

  async function compare(row) {
    if (!row.whole || !row.md5 || row.compared) return;
    row.compared = true;
    const found = await arrived(row);
    if (!found) {
      fail(row, "It arrived whole. The archive is still reading its MD5; try again later to compare it, or look at My uploads.");
      return;
    }
    row.differs = found.md5 !== row.md5;
    if (row.differs) {
      fail(row, "What arrived has another MD5 than the file here. Send it again.");
      return;
    }
    const declared = !dataset || await declare(row);
    row.state = "done";
    row.sentence = size(row.file.size) + ", arrived whole, MD5 " + row.md5 + (declared ? "" : ". The dataset did not take its MD5; look at its page.");
    draw(row);
    next();
    document.querySelectorAll("[hx-trigger*='refresh']").forEach((poll) => htmx.trigger(poll, "refresh"));
  }

  // What the archive has; the digest of bytes that came in several pieces is read again there first.
  async function arrived(row) {
    for (let turn = 0; turn < 600; turn += 1) {
      try {
        const answer = await fetch(panel.dataset.uploadsUrl + "?limit=20&realm=" + row.realm + "&name=" + encodeURIComponent(row.name));
        const items = answer.ok ? (await answer.json()).items : [];
        // The newest of the name is ours; one that it replaced may still be listed.
        const found = items.find((item) => item.name === row.name && !item.replaced_by && item.size === row.file.size);
        if (found && found.md5) return found;
      } catch { /* the line broke: ask again */ }
      await new Promise((go) => setTimeout(go, 1000));
    }
    return null;
  }

  function declare(row) {
    return fetch(panel.dataset.md5Url, { method: "POST", body: row.md5 + "  " + row.name + "\n",
      headers: { "X-CSRFToken": token, "Content-Type": "text/plain" } }).then((answer) => answer.ok, () => false);
  }

  // ---- All together ------------------------------------------------------------------------------------------------
  function tally() {
    const all = rows.reduce((sum, row) => sum + row.file.size, 0), sent = rows.reduce((sum, row) => sum + row.sent, 0);
    const moving = rows.some((row) => row.state === "sending" && !row.whole);
    const rate = moving && began ? (sent - base) / ((Date.now() - began) / 1000) : 0;
    const done = rows.filter((row) => row.state === "done").length;
    total.textContent = rows.length ? done + " of " + rows.length + " files, " + size(sent) + " of " + size(all)
      + (rate > 0 ? ", " + size(rate) + "/s, " + time((all - sent) / rate) : "") : "";
    if (!moving) began = 0;
    else if (Date.now() - began > 10000) { began = Date.now(); base = sent; }
    hint.hidden = all <= Number(recommended);
    panel.querySelector(".next").hidden = !rows.length || rows.some((row) => row.state !== "done");
    panel.querySelector(".many").hidden = rows.length < Number(panel.dataset.many);
  }

  // ---- Choosing ----------------------------------------------------------------------------------------------------
  function read(entry, path) {
    if (entry.isFile) { entry.file((file) => add(file, path + entry.name)); return; }
    const reader = entry.createReader();
    const more = () => reader.readEntries((entries) => {
      entries.forEach((one) => read(one, path + entry.name + "/"));
      if (entries.length) more();
    });
    more();
  }

  panel.querySelectorAll("input[type=file]").forEach((field) => field.addEventListener("change", () => {
    [...field.files].forEach((file) => add(file));
    field.value = "";
  }));
  panel.addEventListener("dragover", (event) => { event.preventDefault(); panel.classList.add("drag-over"); });
  panel.addEventListener("dragleave", () => panel.classList.remove("drag-over"));
  panel.addEventListener("drop", (event) => {
    event.preventDefault();
    panel.classList.remove("drag-over");
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
    if (entries.length) entries.forEach((entry) => read(entry, ""));
    else [...event.dataTransfer.files].forEach((file) => add(file));
  });
  window.addEventListener("beforeunload", (event) => {
    if (rows.some((row) => row.state === "sending")) event.preventDefault();
  });

  // Uploads that an earlier visit left unfinished: choosing the same files goes on with them.
  tus.defaultOptions.urlStorage.findAllUploads().then((found) => {
    const mine = found.filter((one) => one.metadata && (one.metadata.dataset || "") === (dataset || ""));
    const note = panel.querySelector(".unfinished");
    if (!mine.length || !note) return;
    note.hidden = false;
    note.textContent = "Unfinished from before: " + mine.slice(0, 5).map((one) => one.metadata.filename).join(", ")
      + ". Choose the same " + (mine.length === 1 ? "file" : "files") + " again to go on where it stopped.";
  });
})();

// The form of a dataset: leaving it with unsaved words asks first. The form that sends a file: names the portal would refuse
// are mended before a byte is sent, and how far the sending is can be read in the page.
(function () {
  const form = document.getElementById("deposit");
  if (form) {
    let typed = false;
    const mine = (field) => field.form === form && field.name !== "";
    document.addEventListener("input", (event) => { if (mine(event.target)) typed = true; });
    document.addEventListener("submit", (event) => { if (event.target === form) typed = false; });
    window.addEventListener("beforeunload", (event) => { if (typed) event.preventDefault(); });
    if (document.getElementById("errors")) typed = true;
  }

  const online = document.getElementById("online");
  if (!online) return;
  const picked = online.elements.file;

  function mend(name) {
    const plain = name.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").trim();
    return plain.replace(/[^A-Za-z0-9._\-+=@,]+/g, "_").replace(/^[=\-+@.]+/, "").replace(/^_+|_+$/g, "");
  }

  picked.addEventListener("change", () => {
    const file = picked.files.length === 1 ? picked.files[0] : null;
    online.elements.size.value = file ? file.size : "";
    if (file && mend(file.name) !== file.name && !online.elements.as.value) online.elements.as.value = mend(file.name);
  });
  online.addEventListener("submit", () => {
    document.getElementById("sending").textContent = "Sending. Stay on this page until it is over.";
  });
})();

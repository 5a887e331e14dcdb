// The form that sends a file without resuming, for browsers that cannot: a name the portal would refuse is mended before a
// byte is sent, and how far the sending is can be read in the page.
(function () {
  const online = document.getElementById("online");
  if (!online) return;
  const picked = online.elements.file;

  function mend(name) {
    const plain = name.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").trim();
    // What is written in another script is left to the archive, which answers with a name in letters it takes.
    if (/[^\x20-\x7e]/.test(plain)) return name;
    return plain.replace(/[^A-Za-z0-9._\-+=@,]+/g, "_").replace(/_+(?=\.|$)/g, "").replace(/^[=\-+@._]+/, "");
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

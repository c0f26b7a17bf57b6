// Asks how far long work is and goes on to its outcome. Without scripts the page reloads itself.
"use strict";

(() => {
  const bar = document.getElementById("progress");
  const words = document.getElementById("progress-words");
  const ask = async () => {
    try {
      const response = await fetch(bar.dataset.url, { credentials: "same-origin", headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(String(response.status));
      const found = await response.json();
      bar.value = found.share;
      words.textContent = `${Math.round(found.share * 100)}% done.`;
      if (found.done) {
        window.location.reload();
        return;
      }
    } catch {
      words.textContent = "The service does not answer at the moment; still trying.";
    }
    window.setTimeout(ask, 1000);
  };
  window.setTimeout(ask, 500);
})();

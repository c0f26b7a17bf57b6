// Asks how far long work is and goes on to its outcome. Without scripts the page reloads itself.
"use strict";

(() => {
  const bar = document.getElementById("progress");
  const words = document.getElementById("progress-words");
  // Only what has changed is written: a screen reader says it each time.
  const say = (text) => {
    if (words.textContent !== text) words.textContent = text;
  };
  const ask = async () => {
    try {
      const response = await fetch(bar.dataset.url, { credentials: "same-origin", headers: { Accept: "application/json" } });
      if (response.status === 401 || response.status === 404) {
        window.location.reload(); // signed out, or forgotten at a restart: the page itself says so
        return;
      }
      if (!response.ok) throw new Error(String(response.status));
      const found = await response.json();
      bar.value = found.share;
      say(`${found.words ? `${found.words}: ` : ""}${Math.round(found.share * 100)}% done.`);
      if (found.done) {
        window.location.reload();
        return;
      }
    } catch {
      say("The service does not answer at the moment; still trying.");
    }
    window.setTimeout(ask, 1000);
  };
  window.setTimeout(ask, 500);
})();

// Filters without leaving the map: the address changes, the tiles and the lists follow, and the back button undoes it.
// Without this script the forms are plain ones. A classic script that stands after map.js.
"use strict";

(() => {
  const PARTS = ["view-words", "list", "months-words", "filter-chosen", "download-view", "print-view"];

  const followFilter = (map, config, cells) => {
    let asked = 0;
    // Takes the page of an address and puts its words in place of ours; the service has escaped every text of it.
    const show = async (address) => {
      asked += 1;
      const own = asked;
      const status = document.getElementById("map-status");
      try {
        const response = await fetch(address, { credentials: "same-origin", headers: { Accept: "text/html" } });
        if (!response.ok) throw new Error(String(response.status));
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        if (own !== asked) return false; // a later one is on its way
        for (const id of PARTS) {
          const [here, there] = [document.getElementById(id), page.getElementById(id)];
          if (here && there) here.replaceChildren(...there.childNodes);
        }
        const query = new URL(page.getElementById("tiles").dataset.url, location.href);
        cells.setUrl(decodeURI(query.pathname) + query.search);
        return true;
      } catch {
        if (status) status.textContent = "The filter could not be applied. Try again.";
        return false;
      }
    };

    const slider = document.getElementById("month");
    if (slider) {
      const months = JSON.parse(slider.dataset.months);
      const words = document.getElementById("month-words");
      const tell = () => {
        const month = months[Number(slider.value) - 1];
        const said = month ? month.words : "All of the analysis";
        words.textContent = said;
        slider.setAttribute("aria-valuetext", said);
        return month;
      };
      let waiting = 0;
      slider.addEventListener("input", () => {
        const month = tell();
        window.clearTimeout(waiting);
        waiting = window.setTimeout(async () => {
          const address = new URL(location.href);
          for (const name of ["from", "to", "page"]) address.searchParams.delete(name);
          if (month) {
            address.searchParams.set("from", month.from);
            address.searchParams.set("to", month.to);
          }
          if (await show(address)) history.pushState({}, "", address);
        }, 250);
      });
      tell();
    }

    // The part of the map in view, where the print is to show that.
    document.getElementById("print")?.addEventListener("submit", () => {
      const box = map.getBounds();
      const sides = [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()].map((one) => one.toFixed(5));
      document.getElementById("print-bbox").value = document.getElementById("print-here").checked ? sides.join(",") : "";
    });

    document.addEventListener("click", async (event) => {
      const link = event.target.closest("a[data-list]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (await show(link.href)) {
        history.pushState({}, "", link.href);
        document.getElementById("list-heading")?.focus();
      }
    });
    window.addEventListener("popstate", () => window.location.reload());
  };

  Object.assign(window.lapwing, { followFilter });
})();

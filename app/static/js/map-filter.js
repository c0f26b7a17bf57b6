// Filters without leaving the map: the address changes, all of the page that speaks of the view follows, and the back button
// undoes it.
// Without this script the forms are plain ones. A classic script that stands after map.js.
"use strict";

(() => {
  const PARTS = ["view-words", "list", "filter-chosen", "compared-words", "download-view", "print-view"];
  const FORMS = ["filter", "saved-views"]; // only with another filter: turning a page keeps what is half filled in
  const KEPT = ["list", "sort", "compare_from", "compare_to", "place"]; // of an address, besides its filter

  // Puts the words of the new page in place of ours; what is folded open stays so.
  const replace = (id, page) => {
    const [here, there] = [document.getElementById(id), page.getElementById(id)];
    if (!here || !there) return;
    const open = here.querySelector("details")?.open;
    here.replaceChildren(...there.childNodes);
    if (open) here.querySelector("details")?.setAttribute("open", "");
  };

  // `follow` draws anew what lies at another address than before.
  const followFilter = (map, config, follow) => {
    Object.assign(config, JSON.parse(document.getElementById("follows").dataset.view));
    let asked = 0;
    const fail = (error) => {
      window.lapwing.say(...(error.ended ? window.lapwing.inWords(error) : ["The filter could not be applied. Try again."]));
    };

    // The address of the map with its own filter, which a saved view does not spell out, over other dates.
    const dated = (month) => {
      const address = new URL(location.href);
      const asks = new URLSearchParams(config.query);
      for (const name of ["from", "to"]) {
        if (month) asks.set(name, month[name]);
        else asks.delete(name);
      }
      for (const name of KEPT) if (address.searchParams.get(name)) asks.set(name, address.searchParams.get(name));
      address.search = asks;
      return address;
    };

    // Takes the page of an address; the service has escaped every text of it.
    const show = async (address) => {
      asked += 1;
      const own = asked;
      try {
        const page = new DOMParser().parseFromString(await window.lapwing.fetched(address, "text"), "text/html");
        if (own !== asked) return false; // a later one is on its way
        const before = { ...config };
        Object.assign(config, JSON.parse(page.getElementById("follows").dataset.view));
        [...PARTS, ...(config.query === before.query ? [] : FORMS)].forEach((id) => replace(id, page));
        follow(before).catch(fail);
        return true;
      } catch (error) {
        if (own === asked) fail(error);
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
          const address = dated(month);
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

// The analyst's map: released layers on a Folium map, with the panel and the list beside it.
// A classic script: it must have run before Folium's own at the end of the body. Data text is only ever set as text.
"use strict";

window.lapwing = (() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  // Of each thing, its colours by day and by night; those of cells are the same in both, as their legend's.
  const [LINE, EDGE, VIOLET, GREEN, OCHRE] = dark
    ? ["#ffffff", "#1d2124", "#cba6e8", "#57b987", "#d9b66c"]
    : ["#0b0c0c", "#ffffff", "#4b286d", "#00703c", "#b58840"];
  const GROUND = dark
    ? {
        boundary: { color: "#aab2b7", weight: 2, dashArray: "6 4", fill: false },
        parks: { color: "#3c5945", weight: 1, fill: true, fillColor: "#22332a", fillOpacity: 0.9 },
        roads: { color: "#454c51", weight: 2, fill: false },
        premises: { color: "#a08c62", weight: 1, fill: true, fillColor: "#4a422f", fillOpacity: 1 },
        buildings: { color: "#3a4146", weight: 1, fill: true, fillColor: "#2b3033", fillOpacity: 1 },
      }
    : {
        boundary: { color: "#505a5f", weight: 2, dashArray: "6 4", fill: false },
        parks: { color: "#7fb08a", weight: 1, fill: true, fillColor: "#cfe6d2", fillOpacity: 0.9 },
        roads: { color: "#d3d8db", weight: 2, fill: false },
        premises: { color: "#8c7853", weight: 1, fill: true, fillColor: "#e0d3b4", fillOpacity: 1 },
        buildings: { color: "#d5d8da", weight: 1, fill: true, fillColor: "#e9ebec", fillOpacity: 1 },
      };
  const PLACE = { color: VIOLET, weight: 3, fillColor: VIOLET, fillOpacity: 0.12 };
  const NOMINATED = { ...PLACE, dashArray: "2 5" };
  const ROUTE = { color: GREEN, weight: 5, opacity: 0.8 };
  const LINK = { color: OCHRE, weight: 3, dashArray: "8 5" };
  const CHOSEN = { color: LINE, weight: 5, fillOpacity: 0.25 };

  const placeStyle = (place) => (place.basis === "nominated" ? NOMINATED : PLACE);
  const byId = (name) => document.getElementById(name);

  const fetched = async (url, kind) => {
    const response = await fetch(url, { credentials: "same-origin" });
    if (response.status === 204) return null;
    if (!response.ok) throw new Error(`The map could not load a layer (${response.status}).`);
    return response[kind]();
  };

  const say = (...words) => {
    const status = byId("map-status");
    if (status) status.replaceChildren(...words);
  };

  const pane = (map, name, order) => {
    map.createPane(name).style.zIndex = order;
    return name;
  };

  const element = (tag, text, className) => {
    const made = document.createElement(tag);
    if (text) made.textContent = text;
    if (className) made.className = className;
    return made;
  };

  // What is shown beside the map: one thing at a time.
  const showPanel = (...parts) => {
    const panel = byId("place-panel");
    if (!panel) return;
    panel.replaceChildren(...parts);
    panel.hidden = false;
    panel.scrollIntoView({ block: "nearest" }); // on a phone it lies below the map
    document.querySelectorAll("[data-place][aria-current], [data-cell][aria-current]").forEach((one) => one.removeAttribute("aria-current"));
  };

  const mark = (name, id) => document.querySelector(`[data-${name}="${CSS.escape(id)}"]`)?.setAttribute("aria-current", "true");

  const showWords = (title, words, link) =>
    showPanel(
      element("h2", title, "govuk-heading-m govuk-!-margin-bottom-1"),
      element("p", words, "govuk-body govuk-!-margin-bottom-2"),
      ...(link ? [link] : []),
    );

  const showPlace = (told, config) => {
    const item = document.querySelector(`[data-place="${CSS.escape(told.place)}"]`);
    let link = null;
    if (config.place_url) {
      link = element("a", "Open this place", "govuk-link");
      link.href = config.place_url.replace("PLACE", encodeURIComponent(told.place));
    }
    showWords(item ? item.dataset.title : told.name || told.kind, told.why, link);
    mark("place", told.place);
  };

  // The service writes the panel of a cell, with every text escaped; it is read as a document in which nothing runs.
  const showCell = async ({ cell, records }, config) => {
    try {
      if (!config.cell_url) {
        showWords("Cell", records ? `At least ${records} records: counts are rounded down.` : "");
        mark("cell", cell);
        return;
      }
      const page = new DOMParser().parseFromString(await fetched(config.cell_url.replace("CELL", encodeURIComponent(cell)), "text"), "text/html");
      showPanel(...page.body.children);
    } catch (error) {
      showWords("Cell", error.message);
    }
    mark("cell", cell);
  };

  // A click beside everything offers to add a place there.
  const offerPlace = (map, config) => {
    if (!config.add_url) return;
    map.on("click", (event) => {
      if (event.originalEvent.lapwingTaken) return;
      const at = `${event.latlng.lng.toFixed(5)},${event.latlng.lat.toFixed(5)}`;
      const link = element("a", "Add a place here", "govuk-link");
      link.href = `${config.add_url}?at=${encodeURIComponent(at)}`;
      say(`${at}. `, link);
    });
  };

  const showLegend = (map, config) => {
    const breaks = window.lapwing.breaksAt(config, map.getZoom());
    document.querySelectorAll("[data-class]").forEach((item) => {
      const k = Number(item.dataset.class);
      const first = k === 0 ? breaks[0] : breaks[k] + 1;
      item.textContent = breaks[k + 1] > first ? `${first} to ${breaks[k + 1]}` : `${first}`;
    });
  };

  const addGround = async (map, config, panel, paneName) => {
    const made = config.basemap_url ? await window.lapwing.basemap(map, config.basemap_url, { dark }) : null;
    if (made) {
      panel.add("Ground", "Basemap", made.ground);
      panel.add("Ground", "Names", made.labels);
      return;
    }
    panel.add("Ground", "Grid", window.lapwing.graticule(map, { dark }));
    for (const [kind, url] of Object.entries(config.reference_urls)) {
      panel.add("Ground", kind[0].toUpperCase() + kind.slice(1), window.lapwing.ground(url, paneName, GROUND[kind] || GROUND.buildings));
    }
  };

  const addPlaces = async (config, panel, paneName, shapes) => {
    const data = await fetched(config.places_url, "json");
    const choose = (id) => {
      const shape = shapes.get(id);
      if (!shape) return;
      shapes.forEach((one) => one.setStyle(placeStyle(one.feature.properties)));
      shape.setStyle(CHOSEN).bringToFront();
      showPlace(shape.feature.properties, config);
    };
    const layer = L.geoJSON(data, {
      pane: paneName,
      style: (feature) => placeStyle(feature.properties),
      onEachFeature: (feature, shape) => {
        shapes.set(feature.properties.place, shape);
        shape.on("click", (event) => {
          event.originalEvent.lapwingTaken = true;
          choose(feature.properties.place);
        });
      },
    });
    panel.add("Found", "Places", layer);
    return { choose, count: data.features.length };
  };

  const addLines = async (config, panel, paneName) => {
    const kinds = [
      ["Routes", config.routes_url, ROUTE, (told) => told.name || "Route"],
      ["Linked places", config.network_url, LINK, (told) => `${told.first_name} and ${told.second_name}`],
    ];
    for (const [name, url, style, title] of kinds) {
      if (!url) continue;
      let data;
      try {
        data = await fetched(url, "json");
      } catch {
        continue; // the page of routes and linked places has them all
      }
      data.features = data.features.filter((one) => one.properties.significant !== 0);
      if (!data.features.length) continue;
      const onEachFeature = (feature, shape) =>
        shape.on("click", (event) => {
          event.originalEvent.lapwingTaken = true;
          showWords(title(feature.properties), feature.properties.why);
        });
      panel.add("Found", name, L.geoJSON(data, { pane: paneName, style: () => style, onEachFeature }));
    }
  };

  // Rows of the list: a button in each shows its place or cell on the map.
  const followList = (map, config, chosen, shapes) => {
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-place] button, [data-cell] button");
      if (!button) return;
      const row = button.closest("[data-place], [data-cell]");
      if (row.dataset.place) {
        chosen.place(row.dataset.place);
        const shape = shapes.get(row.dataset.place);
        if (shape) map.fitBounds(shape.getBounds().pad(1.5), { maxZoom: 16 });
      } else {
        chosen.cell(row);
        map.setView([Number(row.dataset.lat), Number(row.dataset.lon)], Math.max(map.getZoom(), 14));
      }
      byId("place-panel")?.focus({ preventScroll: true }); // its link is the next stop
    });
  };

  const attach = async (map, config) => {
    const [west, south, east, north] = config.bounds;
    map.fitBounds([[south, west], [north, east]]);
    map.attributionControl.setPrefix(false); // no link out of the page
    L.control.scale({ imperial: false }).addTo(map);
    offerPlace(map, config);
    const [base, cover, first, second, lines, places] = ["base", "coverage", "cells", "compared", "lines", "places"].map((name, i) =>
      pane(map, `lapwing-${name}`, 410 + 5 * i),
    );
    const panel = window.lapwing.layerPanel(map, byId("layer-panel"));
    const shapes = new Map();
    say("Drawing the map");
    try {
      const cells = window.lapwing.cells(config.tiles_url, config, first, (told) => {
        cells.choose(told.cell);
        showCell(told, config);
      });
      const painted = new Promise((resolve) => cells.once("load", resolve));
      panel.add("Found", "Cells", cells);
      painted.then(() => {
        document.body.dataset.cells = "painted";
      });
      if (config.coverage_url) panel.add("Found", "Not looked", window.lapwing.coverage(config.coverage_url, cover), { shown: false });
      if (config.compared_url) {
        const other = window.lapwing.cells(config.compared_url, config, second, null);
        panel.add("Found", "Cells of the second period", other);
        window.lapwing.swipe(map, first, second, byId("swipe"));
      }
      showLegend(map, config);
      map.on("zoomend", () => showLegend(map, config));
      window.lapwing.followFilter(map, config, cells);
      window.lapwing.drawing(map, config);
      await addGround(map, config, panel, base);
      const found = await addPlaces(config, panel, places, shapes);
      await addLines(config, panel, lines);
      const chosen = {
        place: found.choose,
        cell: (row) => {
          cells.choose(row.dataset.cell);
          showCell({ cell: row.dataset.cell, records: row.dataset.records }, config);
        },
      };
      followList(map, config, chosen, shapes);
      const wanted = new URLSearchParams(location.search).get("place");
      if (wanted && shapes.has(wanted)) {
        found.choose(wanted);
        map.fitBounds(shapes.get(wanted).getBounds().pad(1.5), { maxZoom: 16 });
      }
      await painted;
      say(`Map drawn, with ${found.count} ${found.count === 1 ? "place" : "places"}.`);
      document.body.dataset.map = "drawn";
    } catch (error) {
      say(`${error.message} The list beside the map is complete.`);
      document.body.dataset.map = "failed";
    }
  };

  return { attach, colours: { line: LINE, edge: EDGE, quiet: dark ? "#aab2b7" : "#505a5f" } };
})();

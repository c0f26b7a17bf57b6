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

  class SessionEnded extends Error {
    ended = true;
  }

  // Nothing that is fetched lies behind a redirect but the page to sign in, and a layer answers 401 in its place.
  const fetched = async (url, kind) => {
    const response = await fetch(url, { credentials: "same-origin" });
    if (response.redirected || response.status === 401) throw new SessionEnded("Your session has ended. Sign in again.");
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

  // An error in words; once the session has ended, with the way back in.
  const inWords = (error) => {
    if (!error.ended) return [error.message];
    const link = element("a", "Sign in", "govuk-link");
    link.href = "/sign-in";
    return [`${error.message} `, link];
  };

  let opened = null; // what the panel shows: `{ cell }`, `{ place }` or `{ line }`

  // What is shown beside the map: one thing at a time.
  const showPanel = (...parts) => {
    const panel = byId("place-panel");
    if (!panel) return;
    panel.replaceChildren(...parts);
    panel.hidden = false;
    // On a phone it lies below the map; but the months must not move from under the finger that slides them.
    if (document.activeElement !== byId("month")) panel.scrollIntoView({ block: "nearest" });
    markOpened();
  };

  const hidePanel = () => {
    opened = null;
    const panel = byId("place-panel");
    if (panel) panel.hidden = true;
    markOpened();
  };

  // The row of the list that the panel tells of.
  const markOpened = () => {
    document.querySelectorAll("[data-place][aria-current], [data-cell][aria-current]").forEach((one) => one.removeAttribute("aria-current"));
    for (const [name, id] of Object.entries(opened || {})) document.querySelector(`[data-${name}="${CSS.escape(id)}"]`)?.setAttribute("aria-current", "true");
  };

  const paragraph = (words) => {
    const made = element("p", "", "govuk-body govuk-!-margin-bottom-2");
    made.append(...words);
    return made;
  };

  const showWords = (title, words, link) =>
    showPanel(
      element("h2", title, "govuk-heading-m govuk-!-margin-bottom-1"),
      paragraph(words),
      ...(link ? [link] : []),
    );

  const showPlace = (told, config) => {
    opened = { place: told.place };
    const item = document.querySelector(`[data-place="${CSS.escape(told.place)}"]`);
    let link = null;
    if (config.place_url) {
      link = element("a", "Open this place", "govuk-link");
      link.href = config.place_url.replace("PLACE", encodeURIComponent(told.place));
    }
    showWords(item ? item.dataset.title : told.name || told.kind, [told.why], link);
  };

  // The service writes the panel of a cell, with every text escaped; it is read as a document in which nothing runs.
  const showCell = async ({ cell, records }, config) => {
    const own = { cell };
    opened = own;
    if (!config.cell_url) {
      showWords("Cell", records ? [`At least ${records} records: counts are rounded down.`] : []);
      return;
    }
    try {
      const page = new DOMParser().parseFromString(await fetched(config.cell_url.replace("CELL", encodeURIComponent(cell)), "text"), "text/html");
      if (opened === own) showPanel(...page.body.children); // else another was opened meanwhile
    } catch (error) {
      if (opened === own) showWords("Cell", inWords(error));
    }
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

  // Draws what the address of this name has; asks again where the view has moved on meanwhile.
  const refill = async (layer, config, name, chosen = () => true) => {
    const url = config[name];
    let data = { type: "FeatureCollection", features: [] };
    try {
      if (url) data = await fetched(url, "json");
    } catch (error) {
      if (config[name] === url) {
        layer.clearLayers(); // what it has is of another view
        throw error;
      }
    }
    if (config[name] !== url) return refill(layer, config, name, chosen);
    data.features = data.features.filter(chosen);
    layer.clearLayers();
    layer.addData(data);
    return data.features.length;
  };

  const addPlaces = async (config, panel, paneName, shapes) => {
    const choose = (id) => {
      const shape = shapes.get(id);
      if (!shape) return;
      shapes.forEach((one) => one.setStyle(placeStyle(one.feature.properties)));
      shape.setStyle(CHOSEN).bringToFront();
      showPlace(shape.feature.properties, config);
    };
    const layer = L.geoJSON(null, {
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
    layer.on("layerremove", ({ layer: shape }) => shapes.delete(shape.feature.properties.place));
    const found = {
      choose,
      missing: false, // they could not be drawn when they were asked for last
      load: async () => {
        found.missing = true;
        const count = await refill(layer, config, "places_url");
        found.missing = false;
        return count;
      },
    };
    await found.load();
    panel.add("Found", "Places", layer);
    return found;
  };

  const addLines = (config, panel, paneName) => {
    const kinds = [
      ["Routes", "routes_url", ROUTE, (told) => told.name || "Route"],
      ["Linked places", "network_url", LINK, (told) => `${told.first_name} and ${told.second_name}`],
    ];
    const layers = kinds.map(([name, address, style, title]) => {
      const onEachFeature = (feature, shape) =>
        shape.on("click", (event) => {
          event.originalEvent.lapwingTaken = true;
          opened = { line: name };
          showWords(title(feature.properties), [feature.properties.why]);
        });
      return { name, address, listed: false, layer: L.geoJSON(null, { pane: paneName, style: () => style, onEachFeature }) };
    });
    const load = async () => {
      for (const one of layers) {
        try {
          const count = await refill(one.layer, config, one.address, (line) => line.properties.significant !== 0);
          if (!count || one.listed) continue;
        } catch {
          continue; // the page of routes and linked places has them all
        }
        one.listed = true;
        panel.add("Found", one.name, one.layer);
      }
    };
    return load;
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

  const sayDrawn = (count) => say(`Map drawn, with ${count} ${count === 1 ? "place" : "places"}.`);

  // After the filter has moved: draws anew what now lies at another address, and tells the open panel again.
  const follow = async (config, before, cells, { shapes, places, lines }) => {
    if (config.tiles_url !== before.tiles_url) cells.setUrl(config.tiles_url);
    if (opened?.cell && config.cell_url !== before.cell_url) {
      showCell(opened, config);
    } else if (opened?.cell && config.tiles_url !== before.tiles_url) {
      cells.choose(null);
      hidePanel();
    }
    if (places && (places.missing || config.places_url !== before.places_url)) {
      try {
        sayDrawn(await places.load());
      } catch (error) {
        if (error.ended) throw error;
        say("The places could not be drawn. Choose the filter or the month again; the list beside the map is complete.");
      }
      if (shapes.has(opened?.place)) shapes.get(opened.place).setStyle(CHOSEN).bringToFront();
      else if (opened?.place) hidePanel();
    }
    if (lines && (config.routes_url !== before.routes_url || config.network_url !== before.network_url)) {
      if (opened?.line) hidePanel();
      await lines();
    }
    markOpened();
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
      const parts = {};
      window.lapwing.followFilter(map, config, (before) => follow(config, before, cells, parts));
      window.lapwing.drawing(map, config);
      await addGround(map, config, panel, base);
      const found = await addPlaces(config, panel, places, shapes);
      Object.assign(parts, { shapes, places: found, lines: addLines(config, panel, lines) });
      await parts.lines();
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
      sayDrawn(shapes.size);
      document.body.dataset.map = "drawn";
    } catch (error) {
      say(...inWords(error), " The list beside the map is complete.");
      document.body.dataset.map = "failed";
    }
  };

  return { attach, fetched, inWords, say, colours: { line: LINE, edge: EDGE, quiet: dark ? "#aab2b7" : "#505a5f" } };
})();

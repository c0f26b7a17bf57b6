// Draws released layers on the Folium map. A classic script: it must have run before Folium's own at the end of the body.
// Data text is only ever set as text, never as markup.
"use strict";

window.lapwing = (() => {
  const BASE = {
    boundary: { color: "#505a5f", weight: 2, dashArray: "6 4", fill: false },
    parks: { color: "#7fb08a", weight: 1, fillColor: "#cfe6d2", fillOpacity: 0.9 },
    roads: { color: "#d3d8db", weight: 2 },
    premises: { color: "#8c7853", weight: 1, fillColor: "#e0d3b4", fillOpacity: 1 },
    buildings: { color: "#d5d8da", weight: 1, fillColor: "#e9ebec", fillOpacity: 1 },
  };
  const PLACE = { color: "#4b286d", weight: 3, fillColor: "#4b286d", fillOpacity: 0.12 };
  const NOMINATED = { ...PLACE, dashArray: "2 5" };
  const ROUTE = { color: "#00703c", weight: 5, opacity: 0.8 };
  const LINK = { color: "#b58840", weight: 3, dashArray: "8 5" };
  const CHOSEN = { color: "#0b0c0c", weight: 5, fillOpacity: 0.25 };

  const colourOf = (records, config) => {
    let k = 0;
    while (k < config.ramp.length - 1 && records > config.breaks[k + 1]) k += 1;
    return config.ramp[k];
  };

  // Hot cells have a heavy edge; a cell where outreach worked and nothing was recorded has a dashed one and no colour.
  const cellStyle = (cell, config) => {
    if (!cell.records && !cell.hot) return { color: "#505a5f", weight: 1.5, dashArray: "3 4", fill: false };
    return {
      color: cell.hot ? "#0b0c0c" : "#ffffff",
      weight: cell.hot ? 2.5 : 0.5,
      fillColor: colourOf(cell.records, config),
      fillOpacity: cell.records ? 0.7 : 0,
    };
  };

  const placeStyle = (place) => (place.basis === "nominated" ? NOMINATED : PLACE);

  const getLayer = async (url) => {
    const response = await fetch(url, { credentials: "same-origin" });
    if (response.status === 204) return null;
    if (!response.ok) throw new Error(`The map could not load a layer (${response.status}).`);
    return response.json();
  };

  const say = (text) => {
    const status = document.getElementById("map-status");
    if (status) status.textContent = text;
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

  const showPlace = (properties, config) => {
    const panel = document.getElementById("place-panel");
    if (!panel) return;
    const item = document.querySelector(`[data-place="${CSS.escape(properties.place)}"]`);
    const title = item ? item.dataset.title : properties.name || properties.kind;
    const link = element("a", "Open this place", "govuk-link");
    link.href = config.place_url.replace("PLACE", encodeURIComponent(properties.place));
    panel.replaceChildren(
      element("h2", title, "govuk-heading-m govuk-!-margin-bottom-1"),
      element("p", properties.why, "govuk-body govuk-!-margin-bottom-2"),
      link,
    );
    panel.hidden = false;
    panel.scrollIntoView({ block: "nearest" }); // on a phone it lies below the map
    document.querySelectorAll("[data-place][aria-current]").forEach((one) => one.removeAttribute("aria-current"));
    if (item) item.setAttribute("aria-current", "true");
  };

  // A sentence about a route or a link, in the panel beside the map.
  const showWords = (title, words) => {
    const panel = document.getElementById("place-panel");
    if (!panel) return;
    panel.replaceChildren(
      element("h2", title, "govuk-heading-m govuk-!-margin-bottom-1"),
      element("p", words, "govuk-body govuk-!-margin-bottom-2"),
    );
    panel.hidden = false;
    document.querySelectorAll("[data-place][aria-current]").forEach((one) => one.removeAttribute("aria-current"));
  };

  // A click beside everything offers to add a place there.
  const offerPlace = (map, config) => {
    if (!config.add_url) return;
    map.on("click", (event) => {
      const status = document.getElementById("map-status");
      if (!status || event.originalEvent.lapwingTaken) return;
      const at = `${event.latlng.lng.toFixed(5)},${event.latlng.lat.toFixed(5)}`;
      const link = element("a", "Add a place here", "govuk-link");
      link.href = `${config.add_url}?at=${encodeURIComponent(at)}`;
      status.replaceChildren(`${at}. `, link);
    });
  };

  const attach = async (map, config) => {
    map.fitBounds([
      [config.bounds[1], config.bounds[0]],
      [config.bounds[3], config.bounds[2]],
    ]);
    map.attributionControl.setPrefix(false); // no link out of the page
    L.control.scale({ imperial: false }).addTo(map);
    offerPlace(map, config);
    const panes = ["base", "cells", "lines", "places"].map((name, i) => pane(map, `lapwing-${name}`, 410 + 10 * i));
    const byId = new Map();
    const overlays = {};
    const control = L.control.layers(null, null, { collapsed: true }).addTo(map);
    const draw = (name, layer) => {
      overlays[name] = layer.addTo(map);
      control.addOverlay(layer, name);
    };
    const renderers = panes.map((name) => L.canvas({ pane: name, padding: 0.3 }));
    say("Drawing the map");
    try {
      for (const [kind, url] of Object.entries(config.reference_urls)) {
        const data = await getLayer(url);
        if (data === null) continue;
        const style = BASE[kind] || BASE.buildings;
        const options = { pane: panes[0], renderer: renderers[0], interactive: false, style: () => style };
        options.pointToLayer = (feature, at) => L.circleMarker(at, { ...style, radius: 4, pane: panes[0], renderer: renderers[0] });
        draw(kind[0].toUpperCase() + kind.slice(1), L.geoJSON(data, options));
      }
      const cells = await getLayer(config.cells_url);
      draw(
        "Cells",
        L.geoJSON(cells, {
          pane: panes[1],
          renderer: renderers[1],
          interactive: false,
          style: (feature) => cellStyle(feature.properties, config),
        }),
      );
      const places = await getLayer(config.places_url);
      const choose = (id) => {
        const shape = byId.get(id);
        if (!shape) return;
        byId.forEach((one) => one.setStyle(placeStyle(one.feature.properties)));
        shape.setStyle(CHOSEN).bringToFront();
        showPlace(shape.feature.properties, config);
      };
      draw(
        "Places",
        L.geoJSON(places, {
          pane: panes[3],
          style: (feature) => placeStyle(feature.properties),
          onEachFeature: (feature, shape) => {
            byId.set(feature.properties.place, shape);
            shape.on("click", (event) => {
              event.originalEvent.lapwingTaken = true;
              choose(feature.properties.place);
            });
          },
        }),
      );
      const lines = [
        ["Routes", config.routes_url, ROUTE, (told) => told.name || "Route"],
        ["Linked places", config.network_url, LINK, (told) => `${told.first_name} and ${told.second_name}`],
      ];
      for (const [name, url, style, title] of lines) {
        let data;
        try {
          data = await getLayer(url);
        } catch {
          continue; // the page of routes and linked places has them all
        }
        data.features = data.features.filter((one) => one.properties.significant !== 0);
        if (!data.features.length) continue;
        const options = { pane: panes[2], style: () => style };
        options.onEachFeature = (feature, shape) => {
          shape.on("click", (event) => {
            event.originalEvent.lapwingTaken = true;
            showWords(title(feature.properties), feature.properties.why);
          });
        };
        draw(name, L.geoJSON(data, options));
      }
      document.querySelectorAll("[data-place]").forEach((item) => {
        const button = item.querySelector("button");
        button.addEventListener("click", () => {
          choose(item.dataset.place);
          document.getElementById("place-panel").focus({ preventScroll: true }); // its link is the next stop
          const shape = byId.get(item.dataset.place);
          if (shape) map.fitBounds(shape.getBounds().pad(1.5), { maxZoom: 16 });
        });
      });
      const wanted = new URLSearchParams(location.search).get("place");
      if (wanted && byId.has(wanted)) {
        choose(wanted);
        map.fitBounds(byId.get(wanted).getBounds().pad(1.5), { maxZoom: 16 });
      }
      say(`Map drawn: ${cells.features.length} cells, ${places.features.length} places.`);
      document.body.dataset.map = "drawn";
    } catch (error) {
      say(`${error.message} The list beside the map is complete.`);
      document.body.dataset.map = "failed";
    }
  };

  return { attach };
})();

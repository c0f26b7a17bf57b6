// An area drawn on the map: clicks set corners, and so does Enter at a cross in the middle. A classic script that stands
// after map.js.
"use strict";

(() => {
  const MIN_CORNERS = 3;
  const MAX_CORNERS = 200; // as the service has it
  const SAME_PX = 4; // nearer than this is the same corner, clicked twice
  const CLOSE_PX = 14; // a click so near the first corner closes the outline
  const EARTH_KM = 6371.0088;
  const LINE = { color: "#0b0c0c", weight: 4, interactive: false };
  const UNDER = { color: "#ffdd00", weight: 9, interactive: false }; // seen on dark and on light ground
  const CORNER = { radius: 5, color: "#0b0c0c", weight: 2, fillColor: "#ffdd00", fillOpacity: 1, interactive: false };

  const byId = (name) => document.getElementById(name);
  const many = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

  // Square kilometres on the sphere; the service states the figure that counts.
  const areaKm2 = (corners) => {
    const radians = (degrees) => (degrees * Math.PI) / 180;
    let twice = 0;
    corners.forEach((one, i) => {
      const next = corners[(i + 1) % corners.length];
      twice += radians(next.lng - one.lng) * (2 + Math.sin(radians(one.lat)) + Math.sin(radians(next.lat)));
    });
    return Math.abs((twice * EARTH_KM ** 2) / 2);
  };

  const side = (a, b, c) => Math.sign((b.lng - a.lng) * (c.lat - a.lat) - (b.lat - a.lat) * (c.lng - a.lng));
  const between = (a, b, c) =>
    Math.min(a.lng, b.lng) <= c.lng && c.lng <= Math.max(a.lng, b.lng) && Math.min(a.lat, b.lat) <= c.lat && c.lat <= Math.max(a.lat, b.lat);

  const meet = (a, b, c, d) => {
    const [first, second, third, fourth] = [side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)];
    if (first !== second && third !== fourth) return true;
    return [[first, a, b, c], [second, a, b, d], [third, c, d, a], [fourth, c, d, b]].some(([on, p, q, r]) => on === 0 && between(p, q, r));
  };

  // Whether a line goes straight back along the one before it.
  const doubles = (before, at, to) =>
    side(before, at, to) === 0 && (to.lng - at.lng) * (before.lng - at.lng) + (to.lat - at.lat) * (before.lat - at.lat) > 0;

  // Whether the line from the last corner to another meets the outline anywhere but where they hang together.
  const crosses = (corners, to, closing) => {
    const last = corners.length - 1;
    for (let i = closing ? 1 : 0; i < last - 1; i += 1) if (meet(corners[i], corners[i + 1], corners[last], to)) return true;
    return (last > 0 && doubles(corners[last - 1], corners[last], to)) || (closing && doubles(corners[last], to, corners[1]));
  };

  const asWkt = (corners) => {
    const words = [...corners, corners[0]].map((one) => `${one.lng.toFixed(7)} ${one.lat.toFixed(7)}`);
    return `POLYGON ((${words.join(", ")}))`;
  };

  const drawing = (map, config) => {
    const holder = byId("draw");
    if (!holder || !config.area_url) return;
    const [start, tools, status, form] = ["draw-start", "draw-tools", "draw-status", "draw-form"].map(byId);
    const container = map.getContainer();
    const paneName = "lapwing-drawing";
    map.createPane(paneName).style.zIndex = 640;
    const shape = L.layerGroup();
    const cover = document.createElement("div"); // takes the clicks that are meant for what lies under it
    cover.className = "lw-draw-cover";
    const cross = document.createElement("div");
    cross.className = "lw-draw-cross";
    let corners = [];
    let drawn = false;

    const say = (words) => {
      status.textContent = words;
    };

    const sayWhere = (before = "") => {
      const size = corners.length >= MIN_CORNERS ? `; ${areaKm2(corners).toFixed(areaKm2(corners) < 10 ? 2 : 1)} km²` : "";
      say(`${before}${many(corners.length, "corner")}${size}`);
    };

    const paint = () => {
      shape.clearLayers();
      const line = corners.length >= MIN_CORNERS ? [...corners, corners[0]] : corners;
      for (const style of [UNDER, LINE]) {
        L.polyline(corners, { ...style, pane: paneName }).addTo(shape);
        if (line !== corners) L.polyline(line.slice(-2), { ...style, weight: style.weight / 2, dashArray: "6 6", pane: paneName }).addTo(shape);
      }
      corners.forEach((one, i) => L.circleMarker(one, { ...CORNER, radius: i ? 5 : 8, pane: paneName }).addTo(shape));
    };

    const add = (spot) => {
      const to = spot.wrap();
      const near = (other, limit) => other && map.latLngToContainerPoint(other).distanceTo(map.latLngToContainerPoint(to)) <= limit;
      if (near(corners.at(-1), SAME_PX)) return sayWhere("That corner is there already. ");
      if (corners.length >= MIN_CORNERS && near(corners[0], CLOSE_PX)) return finish();
      if (corners.length >= MAX_CORNERS) return say(`An outline has at most ${MAX_CORNERS} corners. Finish it, or remove some.`);
      if (crosses(corners, to, false)) return sayWhere("The outline must not cross itself; choose another corner. ");
      corners.push(to);
      paint();
      return sayWhere();
    };

    const back = () => {
      if (!corners.length) return say("There is no corner to remove.");
      corners.pop();
      paint();
      return sayWhere("Removed. ");
    };

    const finish = () => {
      if (corners.length < MIN_CORNERS) return sayWhere(`An outline has at least ${MIN_CORNERS} corners. `);
      if (crosses(corners, corners[0], true)) return sayWhere("The closing line would cross the outline; remove a corner. ");
      form.elements.geometry.value = asWkt(corners);
      form.action = config.area_url + location.search; // the filter as it is now
      say("Counting what is in the area");
      return form.submit();
    };

    const begin = () => {
      drawn = true;
      corners = [];
      paint();
      shape.addTo(map);
      container.append(cover, cross);
      map.doubleClickZoom.disable();
      container.setAttribute("role", "application"); // the keys go to the map and not to a screen reader
      container.setAttribute("aria-label", "Map, drawing an area");
      holder.classList.add("lw-draw--on");
      start.hidden = true;
      tools.hidden = false;
      container.focus();
      say("Drawing. Click on the map for the first corner, or press Enter for one at the cross.");
    };

    const end = (words) => {
      drawn = false;
      corners = [];
      shape.remove();
      cover.remove();
      cross.remove();
      map.doubleClickZoom.enable();
      for (const name of ["role", "aria-label"]) container.removeAttribute(name);
      holder.classList.remove("lw-draw--on");
      start.hidden = false;
      tools.hidden = true;
      start.focus();
      say(words);
    };

    const atCross = () => {
      cross.hidden = false;
      add(map.getCenter());
    };

    const KEYS = { Enter: atCross, Backspace: back, Escape: () => end("Drawing was cancelled.") };

    start.addEventListener("click", begin);
    byId("draw-finish").addEventListener("click", finish);
    byId("draw-corner").addEventListener("click", atCross);
    byId("draw-back").addEventListener("click", back);
    byId("draw-cancel").addEventListener("click", KEYS.Escape);
    tools.addEventListener("keydown", (event) => {
      if (event.key === "Escape") KEYS.Escape();
    });
    container.addEventListener("keydown", (event) => {
      if (!drawn) return;
      if (event.target === container) cross.hidden = false;
      const act = event.key === "Escape" || event.target === container ? KEYS[event.key] : null;
      if (!act || event.repeat) return;
      event.preventDefault();
      act();
    });
    // Before the map hears of it: everybody else passes over a click that is taken.
    cover.addEventListener("click", (event) => {
      event.lapwingTaken = true;
    });
    map.on("click", (event) => {
      if (!drawn || !event.originalEvent.lapwingTaken) return;
      cross.hidden = true;
      add(event.latlng);
    });
    window.addEventListener("pageshow", (event) => {
      if (event.persisted && drawn) end(""); // the back button brings the map, not the outline
    });
    holder.hidden = false;
  };

  Object.assign(window.lapwing, { drawing });
})();

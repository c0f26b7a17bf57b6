// The ground of the map: an archive of vector tiles of our own service, or a grid of lines when there is none.
// A classic script that stands after protomaps-leaflet.js and map.js. Names become pixels of a canvas, never markup.
"use strict";

(() => {
  const LIGHT = {
    earth: "#f8f8f8", water: "#dde6ec", green: "#d9ead9", greenEdge: "#a9c9b0", calm: "#eff0f0",
    road: "#d3d8db", roadEdge: "#bcc3c7", building: "#e9ebec", buildingEdge: "#d5d8da",
    premises: "#e0d3b4", premisesEdge: "#8c7853", boundary: "#505a5f",
    text: "#383f43", greenText: "#2f5c3b", quietText: "#505a5f", halo: "#ffffff", line: "#8a9297",
  };
  const DARK = {
    earth: "#1d2124", water: "#17252f", green: "#22332a", greenEdge: "#3c5945", calm: "#24292c",
    road: "#454c51", roadEdge: "#5a6268", building: "#2b3033", buildingEdge: "#3a4146",
    premises: "#4a422f", premisesEdge: "#a08c62", boundary: "#aab2b7",
    text: "#dfe3e5", greenText: "#a9d3b4", quietText: "#b9c0c4", halo: "#16191b", line: "#6a7278",
  };
  const FONT = "arial, sans-serif"; // that of the page; nothing is loaded
  const [LINE, POLYGON] = [2, 3];
  const WIDTHS = {
    highway: [[6, 0.8], [12, 2], [15, 6], [18, 16]],
    major_road: [[8, 0.5], [12, 1.5], [15, 5], [18, 14]],
    minor_road: [[12, 0.5], [15, 2.5], [18, 10]],
    own: [[9, 0.5], [13, 1.2], [15, 3], [18, 9]],
    small: [[14, 0.5], [18, 3]],
  };
  const GREEN = new Set(["park", "cemetery", "nature_reserve", "forest", "wood", "grass", "grassland", "golf_course", "village_green",
    "allotments", "playground", "recreation_ground", "garden", "national_park", "protected_area", "meadow", "scrub"]);
  const CALM = new Set(["hospital", "school", "university", "college", "industrial", "commercial", "railway", "pedestrian"]);

  const isPolygon = (zoom, feature) => feature.geomType === POLYGON;
  const isPoint = (zoom, feature) => feature.geomType === 1;
  const ofKind = (kinds) => (zoom, feature) => kinds.has(feature.props.kind);

  const area = (dataLayer, fill, { stroke, filter = isPolygon, minzoom } = {}) => ({
    dataLayer, minzoom, filter: (zoom, feature) => isPolygon(zoom, feature) && filter(zoom, feature),
    symbolizer: new protomapsL.PolygonSymbolizer(stroke ? { fill, stroke, width: 0.7 } : { fill }),
  });
  const way = (dataLayer, color, stops, filter) => ({
    dataLayer, filter: (zoom, feature) => feature.geomType === LINE && (!filter || filter(zoom, feature)), minzoom: stops[0][0],
    symbolizer: new protomapsL.LineSymbolizer({ color, width: protomapsL.linear(stops), lineCap: "round", lineJoin: "round" }),
  });
  const dashes = (dataLayer, color) => ({
    dataLayer, symbolizer: new protomapsL.LineSymbolizer({ color, width: 1.5, dash: [6, 4] }),
  });

  // What `lapwing basemap build` makes.
  const ownGround = (c) => [
    area("parks", c.green, { stroke: c.greenEdge }),
    area("buildings", c.building, { stroke: c.buildingEdge }),
    way("roads", c.road, WIDTHS.own),
    area("premises", c.premises, { stroke: c.premisesEdge }),
    { dataLayer: "premises", filter: isPoint,
      symbolizer: new protomapsL.CircleSymbolizer({ radius: 3, fill: c.premises, stroke: c.premisesEdge, width: 1 }) },
    dashes("boundary", c.boundary),
  ];
  // The schema of Protomaps' own archives, for an extract that the user has laid by.
  const foreignGround = (c) => [
    area("earth", c.earth),
    area("landuse", c.calm, { filter: ofKind(CALM) }),
    area("landuse", c.green, { filter: ofKind(GREEN) }),
    area("water", c.water),
    way("water", c.water, [[12, 0.5], [18, 8]]),
    area("buildings", c.building, { stroke: c.buildingEdge, minzoom: 14 }),
    way("roads", c.road, WIDTHS.small, (z, f) => !["highway", "major_road", "minor_road", "rail", "ferry"].includes(f.props.kind)),
    way("roads", c.roadEdge, [[12, 0.5], [18, 1.5]], ofKind(new Set(["rail"]))),
    ...["minor_road", "major_road", "highway"].map((kind) => way("roads", c.road, WIDTHS[kind], ofKind(new Set([kind])))),
    dashes("boundaries", c.boundary),
  ];

  const words = (c, fill, size, more = {}) => ({ font: `${size}px ${FONT}`, fill, stroke: c.halo, width: 1.5, ...more });
  const name = ["name:en", "name"];
  const label = (dataLayer, options, { minzoom, filter, sort } = {}) => ({
    dataLayer, minzoom, filter, sort, symbolizer: new protomapsL.CenteredTextSymbolizer({ labelProps: name, lineHeight: 1.3, ...options }),
  });
  const along = (c, minzoom, filter) => ({
    dataLayer: "roads", minzoom, filter: (zoom, feature) => feature.geomType === LINE && (!filter || filter(zoom, feature)),
    symbolizer: new protomapsL.LineLabelSymbolizer({ labelProps: name, position: 2, ...words(c, c.text, 11, { width: 3 }) }),
  });

  const ownLabels = (c) => [
    label("places", words(c, c.quietText, 13), { minzoom: 11, filter: ofKind(new Set(["areas"])) }),
    label("places", words(c, c.greenText, 12), { minzoom: 14, filter: ofKind(new Set(["parks"])) }),
    along(c, 14),
    label("premises", words(c, c.text, 11), { minzoom: 17 }),
  ];
  const foreignLabels = (c) => [
    label("places", words(c, c.text, 14), {
      filter: ofKind(new Set(["locality"])), sort: (a, b) => (b.population_rank || 0) - (a.population_rank || 0),
    }),
    label("places", words(c, c.quietText, 12), { minzoom: 13, filter: ofKind(new Set(["neighbourhood", "macrohood"])) }),
    along(c, 14, ofKind(new Set(["highway", "major_road", "minor_road"]))),
    label("pois", words(c, c.greenText, 11), { minzoom: 15, filter: (zoom, f) => GREEN.has(f.props.kind) }),
    label("pois", words(c, c.text, 11), { minzoom: 16, filter: ofKind(new Set(["station", "bus_station", "school", "hospital"])) }),
  ];

  const paneOf = (map, title, order) => {
    if (!map.getPane(title)) {
      const made = map.createPane(title);
      made.style.zIndex = order;
      made.style.pointerEvents = "none"; // a click is for the cells
      made.setAttribute("aria-hidden", "true");
    }
    return title;
  };

  // Whom the data must be credited to, as plain words: Leaflet would take them for markup.
  const creditOf = (metadata) => {
    const plain = String(metadata.attribution || "").replace(/<[^>]*>/g, " ").replace(/&copy;|&#169;/g, "©").replace(/&amp;/g, "&");
    const holder = document.createElement("span");
    holder.textContent = plain.replace(/\s+/g, " ").trim().slice(0, 200);
    return holder.innerHTML;
  };

  // Both layers want every tile: it is fetched once, and to its end, because what one has left the other still needs.
  const sharedTiles = (archive, most = 64) => {
    const held = new Map();
    const getZxy = (z, x, y) => {
      const key = `${z}/${x}/${y}`;
      let tile = held.get(key);
      if (!tile) {
        tile = archive.getZxy(z, x, y);
        held.set(key, tile);
        tile.catch(() => held.delete(key)); // another try may have it
        if (held.size > most) held.delete(held.keys().next().value);
      }
      return tile;
    };
    return { getZxy };
  };

  // Gives the ground and the labels, to be added to the map; null when the service has no basemap.
  const basemap = async (map, url, { dark = false } = {}) => {
    const archive = new protomapsL.PmtilesSource(url, false).p;
    let header, metadata;
    try {
      header = await archive.getHeader();
      metadata = await archive.getMetadata();
    } catch {
      return null; // none is configured, or it is not drawn: the grid stands in
    }
    const colours = dark ? DARK : LIGHT;
    const layers = new Set((metadata.vector_layers || []).map((one) => one.id));
    const foreign = layers.has("earth") || layers.has("landuse");
    const common = {
      url: sharedTiles(archive), maxDataZoom: header.maxZoom, lang: "en", noWrap: true,
      bounds: [[header.minLat, header.minLon], [header.maxLat, header.maxLon]],
    };
    const ground = protomapsL.leafletLayer({
      ...common, attribution: creditOf(metadata), pane: paneOf(map, "lapwing-ground", 405),
      paintRules: foreign ? foreignGround(colours) : ownGround(colours), labelRules: [],
    });
    const labels = protomapsL.leafletLayer({
      ...common, attribution: "", pane: paneOf(map, "lapwing-labels", 445),
      paintRules: [], labelRules: foreign ? foreignLabels(colours) : ownLabels(colours),
    });
    return { ground, labels };
  };

  const EARTH_M = 6371008.8;
  const degrees = (radians) => (radians * 180) / Math.PI;

  // The roundest of 1, 2 and 5 times a power of ten that is at least so many metres.
  const niceInterval = (least) => {
    const power = 10 ** Math.floor(Math.log10(least));
    return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= least);
  };
  const inWords = (metres) => (metres >= 1000 ? `${metres / 1000} km` : `${metres} m`);

  // Lines at a round number of metres, named by their latitude and longitude at the edges of the map.
  const makeGraticule = () => {
    const Graticule = L.Layer.extend({
      options: { dark: false },
      initialize(options) {
        L.setOptions(this, options); // which L.Layer alone does not
      },
      onAdd(map) {
        this._canvas = L.DomUtil.create("canvas", "lapwing-graticule leaflet-zoom-hide", map.getPane(paneOf(map, "lapwing-ground", 405)));
        this._canvas.setAttribute("aria-hidden", "true");
        this._draw();
      },
      onRemove() {
        this._canvas.remove();
        this._canvas = null;
      },
      getEvents() {
        return { move: this._draw, resize: this._draw, zoomend: this._draw, viewreset: this._draw };
      },
      _draw() {
        const [map, canvas, size, ratio] = [this._map, this._canvas, this._map.getSize(), window.devicePixelRatio || 1];
        L.DomUtil.setPosition(canvas, map.containerPointToLayerPoint([0, 0]));
        [canvas.width, canvas.height] = [size.x * ratio, size.y * ratio];
        [canvas.style.width, canvas.style.height] = [`${size.x}px`, `${size.y}px`];
        const context = canvas.getContext("2d");
        context.scale(ratio, ratio);
        this._lines(context, map, size);
      },
      _lines(context, map, size) {
        const colours = this.options.dark ? DARK : LIGHT;
        const bounds = map.getBounds();
        const middle = map.getCenter().lat;
        const pixel = map.distance(map.containerPointToLatLng([0, size.y / 2]), map.containerPointToLatLng([100, size.y / 2])) / 100;
        const interval = niceInterval(pixel * 110);
        const stepLat = degrees(interval / EARTH_M);
        // A square is square at the nearest half degree: the lines stand still when the map is moved a little.
        const stepLon = stepLat / Math.cos((Math.min(Math.abs(Math.round(middle * 2) / 2), 85) * Math.PI) / 180);
        const places = Math.max(0, Math.min(5, Math.ceil(-Math.log10(stepLat)) + 1));
        if (stepLat > 30) return; // the whole Earth: nothing to measure
        Object.assign(context, { strokeStyle: colours.line, fillStyle: colours.quietText, lineWidth: 0.5, font: `11px ${FONT}` });
        const written = (text, x, y) => {
          context.save();
          Object.assign(context, { strokeStyle: colours.halo, lineWidth: 3 });
          context.strokeText(text, x, y);
          context.restore();
          context.fillText(text, x, y);
        };
        const line = (x1, y1, x2, y2) => {
          context.beginPath();
          context.moveTo(x1, y1);
          context.lineTo(x2, y2);
          context.stroke();
        };
        for (let k = Math.ceil(bounds.getWest() / stepLon); k * stepLon <= bounds.getEast(); k += 1) {
          const x = Math.round(map.latLngToContainerPoint([middle, k * stepLon]).x) + 0.5;
          line(x, 0, x, size.y);
          if (x > 120 && x < size.x - 120) written(`${Math.abs(k * stepLon).toFixed(places)}° ${k < 0 ? "W" : "E"}`, x + 3, 12);
        }
        for (let k = Math.ceil(bounds.getSouth() / stepLat); k * stepLat <= bounds.getNorth(); k += 1) {
          const y = Math.round(map.latLngToContainerPoint([k * stepLat, map.getCenter().lng]).y) + 0.5;
          line(0, y, size.x, y);
          if (y > 90 && y < size.y - 50) written(`${Math.abs(k * stepLat).toFixed(places)}° ${k < 0 ? "S" : "N"}`, 4, y - 3);
        }
        written(`Squares of ${inWords(interval)}`, 120, size.y - 10);
      },
    });
    return Graticule;
  };

  const graticule = (map, { dark = false } = {}) => new (makeGraticule())({ dark }).addTo(map);

  window.lapwing = Object.assign(window.lapwing || {}, { basemap, graticule });
})();

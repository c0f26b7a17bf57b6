// Cells as vector tiles. A classic script that stands after Leaflet.VectorGrid and map.js.
"use strict";

(() => {
  L.DomEvent.fakeStop = L.DomEvent.stopPropagation; // VectorGrid 1.3 calls what Leaflet 1.9 no longer has

  const TILE_LAYER = "map"; // the name that the service gives the cells in a tile
  const { line, edge, quiet } = window.lapwing.colours;

  const classOf = (records, breaks) => {
    let k = 0;
    while (k < breaks.length - 2 && records > breaks[k + 1]) k += 1;
    return k;
  };

  // The limits of the zoom in view: those of the whole analysis, whatever the filter.
  const breaksAt = (config, zoom) => config.breaks[config.resolutions[Math.min(Math.round(zoom), config.resolutions.length - 1)]];

  // Hot cells have a heavy edge; a cell where outreach worked and nothing was recorded has a dashed one and no colour.
  const styleOf = (config) => (cell, zoom) => {
    if (!cell.records && !cell.hot) return { color: quiet, weight: 1.5, dashArray: "3 4", fill: false };
    return {
      color: cell.hot ? line : edge,
      weight: cell.hot ? 2.5 : 0.5,
      fill: true,
      fillColor: config.ramp[classOf(cell.records, breaksAt(config, zoom))],
      fillOpacity: cell.records ? 0.7 : 0,
    };
  };

  // Thin slanted lines: nobody looked here, which is not the same as quiet.
  const hatching = () => {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.strokeStyle = quiet;
    pen.lineWidth = 1;
    pen.beginPath();
    for (const shift of [-8, 0, 8]) {
      pen.moveTo(shift, 8);
      pen.lineTo(shift + 8, 0);
    }
    pen.stroke();
    return pen.createPattern(tile, "repeat");
  };

  const grid = (url, pane, styles, more = {}) =>
    L.vectorGrid.protobuf(url, {
      pane, rendererFactory: L.canvas.tile, vectorTileLayerStyles: styles, maxZoom: 19, updateWhenZooming: false,
      fetchOptions: { credentials: "same-origin" }, ...more,
    });

  const cells = (url, config, pane, onPick) => {
    const style = styleOf(config);
    const layer = grid(url, pane, { [TILE_LAYER]: style }, { interactive: Boolean(onPick), getFeatureId: (feature) => feature.properties.cell });
    let chosen = null;
    layer.choose = (cell) => {
      if (chosen) layer.resetFeatureStyle(chosen);
      chosen = cell;
      if (cell) layer.setFeatureStyle(cell, { color: line, weight: 4, fill: true, fillColor: "#ffdd00", fillOpacity: 0.6 });
    };
    if (onPick) {
      layer.on("click", (event) => {
        event.originalEvent.lapwingTaken = true;
        onPick(event.layer.properties);
      });
    }
    return layer;
  };

  const coverage = (url, pane) =>
    grid(url, pane, { [TILE_LAYER]: { fill: true, fillColor: hatching(), fillOpacity: 0.55, stroke: false } });

  const ground = (url, pane, style) =>
    grid(url, pane, {
      reference: (told, zoom, dimension) =>
        dimension === 1 ? { ...style, fill: true, radius: 4, icon: undefined } : style,
    });

  Object.assign(window.lapwing, { breaksAt, cells, coverage, ground });
})();

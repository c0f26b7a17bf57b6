// What is drawn, how strongly and in which order; and two periods side by side. A classic script that stands after map.js.
"use strict";

(() => {
  const made = (tag, more = {}, ...children) => {
    const one = Object.assign(document.createElement(tag), more);
    one.append(...children);
    return one;
  };

  // Elements that a layer draws into: its own container, or those of its pane.
  const strength = (map, layer, share) => {
    if (layer.setOpacity) layer.setOpacity(share);
    else map.getPane(layer.options.pane).style.opacity = share;
  };

  // A list of layers by group, each with a box to show it, a slider for its strength and a button that brings it to the front.
  const layerPanel = (map, holder) => {
    const groups = new Map();
    let count = 0;
    let front = 500;
    const group = (name) => {
      if (!groups.has(name)) {
        const list = made("ul", { className: "lw-layers__list" });
        holder.append(made("fieldset", { className: "lw-layers__group" }, made("legend", { className: "govuk-label--s", textContent: name }), list));
        groups.set(name, list);
      }
      return groups.get(name);
    };
    const add = (groupName, name, layer, { shown = true } = {}) => {
      if (shown) layer.addTo(map);
      if (!holder) return layer;
      count += 1;
      const box = made("input", { type: "checkbox", id: `layer-${count}`, checked: shown, className: "lw-layers__box" });
      box.addEventListener("change", () => (box.checked ? layer.addTo(map) : layer.remove()));
      const slider = made("input", { type: "range", min: 0.1, max: 1, step: 0.1, value: 1, className: "lw-layers__range" });
      slider.setAttribute("aria-label", `Strength of ${name}`);
      slider.addEventListener("input", () => strength(map, layer, Number(slider.value)));
      const raise = made("button", { type: "button", textContent: "To front", className: "lw-layers__raise" });
      raise.setAttribute("aria-label", `To front: ${name}`);
      raise.addEventListener("click", () => {
        front += 1;
        map.getPane(layer.options.pane).style.zIndex = front;
      });
      group(groupName).append(made("li", {}, box, made("label", { htmlFor: box.id, textContent: name }), slider, raise));
      return layer;
    };
    return { add };
  };

  // The first period lies to the left of the line, the second to its right; a slider, which keys move too, moves the line.
  const swipe = (map, firstPane, secondPane, slider) => {
    if (!slider) return;
    const line = made("div", { className: "lw-swipe-line" });
    map.getContainer().append(line);
    const cut = () => {
      const size = map.getSize();
      const at = (size.x * Number(slider.value)) / 100;
      const low = map.containerPointToLayerPoint([0, 0]);
      const high = map.containerPointToLayerPoint(size);
      const middle = low.x + at;
      map.getPane(firstPane).style.clip = `rect(${low.y}px, ${middle}px, ${high.y}px, ${low.x}px)`;
      map.getPane(secondPane).style.clip = `rect(${low.y}px, ${high.x}px, ${high.y}px, ${middle}px)`;
      line.style.left = `${at}px`;
    };
    slider.addEventListener("input", cut);
    map.on("move zoom resize viewreset", cut);
    cut();
  };

  Object.assign(window.lapwing, { layerPanel, swipe });
})();

(function () {
  "use strict";
  var box = document.createElement("input");
  box.type = "search";
  box.placeholder = "filter: a crate, a path, a host";
  box.setAttribute("aria-label", "Show only what has this in it");
  var told = document.createElement("output");
  document.querySelector("h1").after(box, told);
  var has = function (item, part) { return item.querySelector(part) !== null; };
  var sections = Array.from(document.body.children).filter(function (item) {
    return item.matches("article") || item.matches("details") && !has(item, "table");
  });
  var rows = Array.from(document.querySelectorAll("tr")).filter(function (item) { return has(item, "td"); });
  var items = sections.concat(rows);
  var texts = items.map(function (item) { return item.textContent.toLowerCase(); });
  box.addEventListener("input", function () {
    var wanted = box.value.trim().toLowerCase();
    var shown = 0;
    items.forEach(function (item, at) {
      item.hidden = wanted !== "" && !texts[at].includes(wanted);
      if (item.hidden) { return; }
      shown += 1;
      var around = item.parentElement.closest("details");
      if (wanted !== "" && around !== null) { around.open = true; }
    });
    told.textContent = wanted === "" ? "" : shown + " of " + items.length;
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "/" && document.activeElement !== box) {
      event.preventDefault();
      box.focus();
    }
  });
})();

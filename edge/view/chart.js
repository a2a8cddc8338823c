// Charts of the view. The server sends each chart its rows (see chart.py); here ten minutes of them are kept and drawn.
window.foal = (() => {
  const KEPT_MS = 600_000;
  const LEFT = 62, RIGHT = 16, LETTER_PX = 6;
  const PARTS = [ // from top to bottom: name, top and height in pixels
    ["steady", 6, 26], ["probability", 38, 190], ["audio", 240, 20], ["video", 264, 20], ["level", 302, 62],
    ["agreement", 384, 56],
  ];
  const STRIPS = ["steady", "audio", "video"];
  const DECALS = { // patterns, as in style.css
    plain: { symbol: "none" },
    rising: { dashArrayX: [1, 0], dashArrayY: [2, 7], rotation: -Math.PI / 4 },
    dots: { symbol: "circle", dashArrayX: [[7, 7], [0, 7, 7, 0]], dashArrayY: [7, 0], symbolSize: 0.5 },
    upright: { dashArrayX: [1, 0], dashArrayY: [2, 7], rotation: Math.PI / 2 },
    level: { dashArrayX: [1, 0], dashArrayY: [2, 7] },
    falling: { dashArrayX: [1, 0], dashArrayY: [2, 7], rotation: Math.PI / 4 },
    dashes: { dashArrayX: [8, 5], dashArrayY: [3, 6] },
    grain: { symbol: "rect", dashArrayX: [[3, 5], [0, 4, 3, 1]], dashArrayY: [4, 0], symbolSize: 0.6 },
  };
  const INK = "rgba(0, 0, 0, 0.38)";
  const charts = new Map(); // key -> {element, about, rows, endMs, spans, drawn}
  let spanMs = 120_000;

  const colour = (name) => getComputedStyle(document.body).getPropertyValue(`--${name}`).trim();
  const at = (state, name) => state.about.columns.indexOf(name);
  const newestMs = (state) => state.rows.at(-1)[0];
  const chartOf = (state) => getElement(state.element)?.chart;

  function open(key, element, about) {
    charts.set(key, { element, about, rows: [], endMs: null, spans: {}, chart: null });
  }

  function close(key) {
    charts.delete(key);
  }

  function add(key, rows) {
    const state = charts.get(key);
    if (!state || !rows.length) return;
    while (state.rows.length && newestMs(state) >= rows[0][0]) state.rows.pop();
    for (const row of rows) state.rows.push(row);
    const oldestMs = newestMs(state) - KEPT_MS;
    state.rows.splice(0, state.rows.findIndex((row) => row[0] >= oldestMs));
    draw(key, state);
  }

  function draw(key, state) {
    const chart = chartOf(state);
    if (!chart) {
      clearTimeout(state.retry);
      state.retry = setTimeout(() => charts.get(key) === state && draw(key, state), 50);
      return;
    }
    if (state.chart !== chart || isEmpty(chart)) {
      state.chart = chart;
      chart.setOption(options(state), true);
      chart.off("datazoom");
      chart.on("datazoom", () => zoomed(state));
    }
    if (!state.rows.length) return;
    for (const name of STRIPS) state.spans[name] = spans(state.rows, at(state, name));
    const last = newestMs(state);
    const end = Math.min(state.endMs ?? last, last);
    chart.setOption({
      useUTC: last < 86_400_000, // the time of a recording, from its beginning
      dataset: { source: state.rows },
      xAxis: PARTS.map(() => ({ min: last - KEPT_MS, max: last })),
      dataZoom: [0, 1].map(() => ({ startValue: end - spanMs, endValue: end })),
      series: STRIPS.map((name) => ({ id: name, data: state.spans[name].map(([from, to]) => [from, to]) })),
    });
  }

  // NiceGUI gives a chart its own options, here none, once more some time after it was made, which empties it.
  const isEmpty = (chart) => chart.convertToPixel({ gridIndex: 0 }, [0, 0]) === undefined;

  function spans(rows, column) { // runs of the same name: [from, to, name]
    const found = [];
    for (const row of rows) {
      const last = found.at(-1);
      if (last) last[1] = row[0];
      if (!last || last[2] !== row[column]) found.push([row[0], row[0], row[column]]);
    }
    return found;
  }

  function options(state) {
    const { labels, patterns, fills } = state.about;
    const index = (part) => PARTS.findIndex(([name]) => name === part);
    const on = (part) => ({ xAxisIndex: index(part), yAxisIndex: index(part) });
    const ink = colour("ink"), faint = colour("line"), card = colour("card");
    const curve = (name) => ({
      id: name, name, type: "line", ...on(name), showSymbol: false, encode: { x: 0, y: at(state, name) },
      color: colour("curve"), lineStyle: { width: 2 }, itemStyle: { decal: { symbol: "none" } },
    });
    return {
      animation: false,
      textStyle: { color: ink, fontFamily: getComputedStyle(document.body).fontFamily },
      aria: { enabled: true, label: { enabled: false }, decal: { show: true } },
      title: ["level", "agreement"].map((name) => ({
        text: name, left: LEFT + 4, top: PARTS[index(name)][1] - 7, padding: [1, 4],
        backgroundColor: card, textStyle: { color: ink, fontSize: 12, fontWeight: "normal" },
      })),
      grid: PARTS.map(([, top, height]) => ({ left: LEFT, right: RIGHT, top, height })),
      xAxis: PARTS.map(([name], gridIndex) => ({
        type: "time", gridIndex, axisTick: { show: false }, splitLine: { show: false },
        axisLine: { lineStyle: { color: faint } },
        axisLabel: { show: gridIndex === PARTS.length - 1, hideOverlap: true, formatter: "{HH}:{mm}:{ss}", color: ink },
        axisPointer: { label: { show: false } },
      })),
      yAxis: PARTS.map(([name], gridIndex) => ({ gridIndex, ...scale(name, ink, faint) })),
      dataset: { dimensions: state.about.columns, source: [] },
      dataZoom: [
        { type: "inside", xAxisIndex: "all", filterMode: "none", zoomOnMouseWheel: "ctrl", preventDefaultMouseMove: false },
        { type: "slider", xAxisIndex: "all", filterMode: "none", left: LEFT, right: RIGHT, bottom: 6, height: 24,
          showDataShadow: false, brushSelect: false, labelFormatter: "" },
      ],
      axisPointer: { link: [{ xAxisIndex: "all" }] },
      tooltip: { trigger: "axis", renderMode: "richText", confine: true, formatter: (hits) => tip(state, hits),
        backgroundColor: card, borderColor: faint, textStyle: { color: ink } },
      series: [
        ...STRIPS.map((name) => ({
          id: name, type: "custom", ...on(name), encode: { x: [0, 1] }, dimensions: ["from", "to"], data: [], clip: true,
          renderItem: (params, api) => block(state.spans[name]?.[params.dataIndex], params, api, fills),
        })),
        ...labels.map((label, number) => ({
          id: `p${number}`, name: label, type: "line", stack: "probability", ...on("probability"), showSymbol: false,
          encode: { x: 0, y: number + 1 }, color: fills[label][0], lineStyle: { width: 1, color: INK },
          areaStyle: { opacity: 1 }, itemStyle: { decal: { color: INK, ...DECALS[patterns[number]] } },
          emphasis: { disabled: true },
        })),
        curve("level"),
        curve("agreement"),
      ],
    };
  }

  function scale(name, ink, faint) {
    if (STRIPS.includes(name)) {
      return { type: "category", data: [name], axisTick: { show: false }, axisLine: { show: false },
        axisLabel: { color: ink }, axisPointer: { show: false } };
    }
    const [min, max, interval, unit] = { probability: [0, 1, 0.5], level: [-80, 0, 40], agreement: [-1, 1, 1] }[name];
    const formatter = { probability: (y) => `${y * 100} %`, level: (y) => `${y} dB`, agreement: (y) => `${y}` }[name];
    return { type: "value", min, max, interval, axisLabel: { formatter, color: ink },
      splitLine: { lineStyle: { color: faint } }, axisPointer: { show: false } };
  }

  function block(span, params, api, fills) { // a run of one name, with the name in it
    if (!span?.[2]) return null;
    const { x: left, y: top, width: room, height } = params.coordSys;
    const from = Math.max(api.coord([span[0], 0])[0], left);
    const to = Math.min(api.coord([span[1], 0])[0], left + room);
    if (to <= from) return null;
    const [fill, ink] = fills[span[2]] ?? ["#c9c9c9", "#111111"];
    const letters = Math.max(0, Math.floor((to - from - 2) / LETTER_PX)); // as many of the name as there is room for
    const text = { text: span[2].replaceAll("_", " ").slice(0, letters), fill: ink, fontSize: 12 };
    return {
      type: "rect", shape: { x: from, y: top, width: Math.max(to - from, 1), height },
      style: { fill, stroke: "rgba(0, 0, 0, 0.45)", lineWidth: 1 },
      textContent: { type: "text", style: text }, textConfig: { position: "inside" },
    };
  }

  function tip(state, hits) { // plain text: nothing that was received is taken for HTML
    const row = state.rows[hits.find((hit) => hit.seriesType === "line")?.dataIndex];
    if (!row || row[at(state, "audio")] === null) return "no prediction";
    const time = new Date(row[0]).toLocaleTimeString([], row[0] < 86_400_000 ? { timeZone: "UTC" } : {});
    const share = (p) => `${(100 * p).toFixed(0)} %`;
    const value = (name, unit, digits) => row[at(state, name)] === null ? "–" : row[at(state, name)].toFixed(digits) + unit;
    return [
      `${time}   steady: ${row[at(state, "steady")] ?? "–"}`,
      ...state.about.labels.map((label, number) => `${share(row[number + 1])}  ${label}`),
      `audio: ${row[at(state, "audio")]}, ${value("level", " dBFS", 0)}`,
      `video: ${row[at(state, "video")]}`,
      `agreement: ${value("agreement", "", 2)}`,
    ].join("\n");
  }

  function zoomed(state) { // by hand, in the chart itself
    const { startValue, endValue } = state.chart.getOption().dataZoom[0];
    spanMs = endValue - startValue;
    state.endMs = endValue >= newestMs(state) - 1000 ? null : endValue;
  }

  function span(seconds) {
    spanMs = seconds * 1000;
    redraw();
  }

  function move(spans) {
    for (const state of charts.values()) {
      if (!state.rows.length) continue;
      const last = newestMs(state), end = (state.endMs ?? last) + spans * spanMs;
      state.endMs = end >= last ? null : Math.max(end, last - KEPT_MS + spanMs);
    }
    redraw();
  }

  function newest() {
    for (const state of charts.values()) state.endMs = null;
    redraw();
  }

  function redraw() {
    for (const [key, state] of charts) draw(key, state);
  }

  function png(key, name) {
    const chart = charts.get(key)?.chart;
    if (!chart) return;
    const link = document.createElement("a");
    link.href = chart.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: colour("card") });
    link.download = name;
    link.click();
  }

  function repaint() { // light or dark: the charts are made anew
    for (const state of charts.values()) state.chart = null;
    redraw();
  }

  const rows = (key) => charts.get(key)?.rows ?? []; // these three for tests and the curious

  const newestOf = (key) => rows(key).at(-1)?.[0];

  function shown(key) {
    const { startValue, endValue } = charts.get(key).chart.getOption().dataZoom[0];
    return [startValue, endValue];
  }

  document.addEventListener("DOMContentLoaded", () =>
    new MutationObserver(repaint).observe(document.body, { attributeFilter: ["class"] }));

  return { open, close, add, span, move, newest, png, rows, newestOf, shown };
})();

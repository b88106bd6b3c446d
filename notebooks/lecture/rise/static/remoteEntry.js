// RISE 0.43 has no @jupyterlab/console, and without one the widget managers of ipywidgets and
// anywidget do not start, so that no lab is shown (jupyterlab-contrib/rise #119). They need only
// its names; here are the names.
(() => {
  class Token {
    constructor(name) {
      this.name = name;
    }
  }

  const names = {
    IConsoleTracker: new Token("@jupyterlab/console:IConsoleTracker"),
    CodeConsole: class {},
    ConsolePanel: class {},
  };
  const nothing = { __esModule: true, default: [] };

  window._JUPYTERLAB ||= {};
  window._JUPYTERLAB["ganlib-rise"] = {
    init(shared) {
      if (!location.pathname.includes("/rise/")) return;
      shared["@jupyterlab/console"] ||= {};
      shared["@jupyterlab/console"]["4.3.4"] ||= {
        get: () => Promise.resolve(() => names),
        loaded: 1,
        from: "ganlib-rise",
      };
    },
    get: () => Promise.resolve(() => nothing),
  };
})();

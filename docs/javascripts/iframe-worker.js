// Browsers start no workers for pages that are opened from a folder, and the search of this manual is one. There its
// script runs in a hidden frame instead. (mkdocs-material would fetch such a shim from the network.)
class IFrameWorker extends EventTarget {
  constructor(url) {
    super();
    const frame = document.createElement("iframe");
    frame.hidden = true;
    document.body.append(frame);
    this.scope = frame.contentWindow;
    this.scope.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
    this.loaded = new Promise((resolve) => {
      const script = frame.contentDocument.createElement("script");
      script.src = url;
      script.onload = resolve;
      frame.contentDocument.body.append(script);
    });
  }

  postMessage(data) {
    this.loaded.then(() => this.scope.dispatchEvent(new MessageEvent("message", { data })));
  }
}

if (location.protocol === "file:") {
  window.IFrameWorker = IFrameWorker;
  window.Worker = IFrameWorker;
}

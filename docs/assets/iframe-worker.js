// Search runs in a worker, and a page that is opened from the disk may not start one. A hidden frame does the same work.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(script) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.srcdoc = `<script>postMessage = data => parent.postMessage({ worker: true, data }, "*")</script>
        <script src="${script}"></script>`;
      this.started = new Promise(done => frame.addEventListener("load", () => done(frame.contentWindow)));
      addEventListener("message", ({ source, data }) => {
        if (source === frame.contentWindow && data.worker) {
          this.dispatchEvent(new MessageEvent("message", { data: data.data }));
        }
      });
      document.body.append(frame);
    }

    postMessage(data) {
      this.started.then(frame => frame.dispatchEvent(new MessageEvent("message", { data })));
    }
  };
}

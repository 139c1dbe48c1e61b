// Who types -100 looks for the number; to the search, "-" in front of a word says "pages without it". So numbers get the minus sign that
// stands in the text, in what is asked and in what is searched.
{
  const minus = text => text?.replace(/(^|[^\w−-])-(?=\d)/g, "$1−");
  window.Worker = class extends window.Worker {
    postMessage(message) {
      const { data } = message;
      if (typeof data === "string") {
        super.postMessage({ ...message, data: minus(data) });
      } else {
        const docs = data?.docs?.map(doc => ({ ...doc, text: minus(doc.text) }));
        super.postMessage(docs ? { ...message, data: { ...data, docs } } : message);
      }
    }
  };
}

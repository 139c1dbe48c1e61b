// What the worker that searches is asked, and what it searches, put right on the way to it.
//
// Who types -100 looks for the number; to the search, "-" in front of a word says "pages without it". So numbers get the minus sign that
// stands in the text.
//
// Chinese words were cut when the site was built, each from the next by a space of no width. The search cuts what is asked into the
// longest words it knows but never looks at the last letter; so a word that it knows gets another letter behind it.
{
  const minus = text => text?.replace(/(^|[^\w−-])-(?=\d)/g, "$1−");
  const words = new Set();
  const whole = text => text.replace(/\p{Script=Han}+/gu, asked => (words.has(asked) ? `${asked}〇` : asked));
  window.Worker = class extends window.Worker {
    postMessage(message) {
      const { data } = message;
      if (typeof data === "string") {
        super.postMessage({ ...message, data: whole(minus(data)) });
      } else {
        const docs = data?.docs?.map(doc => ({ ...doc, text: minus(doc.text) }));
        docs?.forEach(doc => (doc.title + doc.text).match(/\p{Script=Han}+/gu)?.forEach(word => words.add(word)));
        super.postMessage(docs ? { ...message, data: { ...data, docs } } : message);
      }
    }
  };
}

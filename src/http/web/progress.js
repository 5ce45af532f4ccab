"use strict";
// Follows a file that is being made, and loads the page anew when it is. Without scripts the page
// loads itself anew.
const bar = document.getElementById("progress-bar");
if (bar && window.EventSource) {
  const words = document.getElementById("progress-words");
  const events = new EventSource(bar.dataset.events);
  let saidTenth = -1;
  events.addEventListener("progress", (event) => {
    const file = JSON.parse(event.data);
    bar.value = Math.min(file.looked_up, bar.max);
    // Said at every tenth only: a screen reader reads each change aloud.
    const tenth = Math.floor((10 * bar.value) / bar.max);
    if (file.state === "running" && tenth !== saidTenth) {
      saidTenth = tenth;
      words.textContent = `${10 * tenth} % looked up.`;
    }
  });
  events.addEventListener("end", () => {
    events.close();
    location.reload();
  });
}

// The token comes in the fragment, which browsers do not send. It leaves the address bar at once,
// so that it does not stay in the history.
const field = document.querySelector("[data-token]");
if (field && location.hash.length > 1) {
  field.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
}

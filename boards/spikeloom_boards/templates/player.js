const $ = id => document.getElementById(id);

// What plays at the press of the button: begin() once, then next() each time until it returns false.
// The function that is returned starts and stops it.
function player(milliseconds, begin, next) {
  const button = $("play"), label = button.textContent;
  let timer = 0;
  const play = on => {
    clearInterval(timer);
    button.setAttribute("aria-pressed", on);
    button.textContent = on ? "Stop" : label;
    if (!on) return;
    begin();
    timer = setInterval(() => { if (!next()) play(false); }, milliseconds);
  };
  button.onclick = () => play(button.getAttribute("aria-pressed") !== "true");
  return play;
}

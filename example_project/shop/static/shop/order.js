// Show the order as paid as soon as the shop knows.

const waiting = document.querySelector("#waiting");

for (let seconds = 0; seconds < 60; seconds += 1) {
  const answer = await fetch(waiting.dataset.statusUrl).catch(() => null);
  if (answer?.ok && (await answer.json()).is_paid) {
    window.location.reload();
    break;
  }
  await new Promise((resolve) => setTimeout(resolve, 1000));
}

// Shows the newest message of the in-memory Kii Cloud below the page.
'use strict'

const newest = document.getElementById('newest')

function copyButtons () {
  for (const button of newest.querySelectorAll('[data-copy]')) {
    button.hidden = false
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(button.dataset.copy)
      button.textContent = 'Copied'
    })
  }
}

async function look () {
  try {
    const answer = await fetch('/demo/newest')
    const html = await answer.text()
    if (answer.ok && html !== newest.dataset.html) {
      newest.dataset.html = html
      newest.innerHTML = html
      tellLocally(newest) // of site.js
      copyButtons()
    }
  } catch { /* the site was stopped */ }
  setTimeout(look, 1000)
}

if (newest) look()

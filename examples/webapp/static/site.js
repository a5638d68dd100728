// What the pages do better with a script. Each of them works without it.
'use strict'

for (const button of document.querySelectorAll('[data-shows]')) {
  const field = document.getElementById(button.dataset.shows)
  button.hidden = false
  const toggle = () => {
    field.type = field.type === 'password' ? 'text' : 'password';
    [button.textContent, button.dataset.other] = [button.dataset.other, button.textContent]
  }
  button.addEventListener('click', toggle)
  // What is sent as text, browsers may remember.
  field.form.addEventListener('submit', () => { if (field.type === 'text') toggle() })
}

for (const form of document.querySelectorAll('[data-wait]')) {
  const end = Date.now() + form.dataset.wait * 1000 // a timer would stand still while the device sleeps
  const timer = setInterval(() => {
    if (Date.now() < end) return
    clearInterval(timer)
    form.hidden = false
    for (const wait of document.querySelectorAll('.wait')) wait.hidden = true
  }, 1000)
}

// Where a browser reads an SMS for the site, as Chrome does on Android, it asks the visitor first.
const code = document.querySelector('[data-sms]')
if (code && 'OTPCredential' in window) {
  const left = new AbortController()
  code.form.addEventListener('submit', () => left.abort())
  navigator.credentials.get({ otp: { transport: ['sms'] }, signal: left.signal })
    .then(sms => { code.value = sms.code }, () => { /* it is typed instead */ })
}

// tellLocally writes the times of day in the visitor's time zone.
function tellLocally (root) {
  for (const time of root.querySelectorAll('time')) {
    const at = new Date(time.dateTime)
    time.textContent = at.toLocaleTimeString(document.documentElement.lang, { timeStyle: at.getUTCSeconds() ? 'medium' : 'short' })
  }
}
tellLocally(document)

for (const instead of document.querySelectorAll('.unscripted')) instead.hidden = true

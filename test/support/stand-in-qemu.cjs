// A stand-in for QEMU, for what no real one can be made to do: a guest that reports the wrong device, never
// answers, or ends. It opens the sockets its arguments name and does what behaviour.json beside it says
// (stand-in-qemu.ts).
const { appendFileSync, readFileSync } = require('node:fs')
const { createServer } = require('node:net')
const { join } = require('node:path')

const behaviour = JSON.parse(readFileSync(join(__dirname, 'behaviour.json'), 'utf8'))

/** The value of a key of the -chardev with this id. */
function option(id, key) {
  const words = process.argv.find((word) => word.startsWith(`socket,id=${id},`)) ?? ''
  return new RegExp(`[,]${key}=([^,]+)`).exec(words)?.[1]
}

function serve(id, greeting, answer) {
  createServer((peer) => {
    peer.on('error', () => undefined)
    peer.write(greeting)
    if (id === 'report' && behaviour.chatters) chatter(peer)
    let rest = ''
    peer.on('data', (chunk) => {
      const lines = `${rest}${chunk}`.split('\n')
      rest = lines.pop()
      for (const line of lines) answer(line, (text) => peer.write(text))
    })
  }).listen(option(id, 'path'))
}

function chatter(peer) {
  const timer = setInterval(() => {
    for (let byte = 0; byte < 4000; byte += 1) peer.write(byte % 2 ? '\n' : 'x')
  }, 1)
  peer.on('close', () => clearInterval(timer))
}

const leave = () => setTimeout(() => process.exit(0), 20)

function openAll() {
  serve('qmp', '{"QMP":{"version":{"qemu":{"major":7,"minor":2,"micro":0}}}}\n', (line, say) => {
    const { execute, id } = JSON.parse(line)
    say(`${JSON.stringify({ return: execute === 'query-pci' ? [{ devices: behaviour.places }] : {}, id })}\n`)
    if (execute === 'quit' || (execute === 'system_powerdown' && behaviour.powersOff)) leave()
    if (execute === 'cont' && behaviour.ends) {
      appendFileSync(option('serial', 'logfile'), 'Kernel panic - not syncing\n')
      leave()
    }
  })

  serve('serial', 'guest login: ', (line, say) => say(`you said ${line}\n`))

  serve('report', behaviour.report === null ? '' : 'handover 1\n', (word, say) => {
    if (behaviour.chatters) return
    if (word === 'report') say(`${behaviour.report.join('\n')}\nend\n`)
    else say('unknown\nend\n')
  })
}

setTimeout(openAll, behaviour.opensAfter)

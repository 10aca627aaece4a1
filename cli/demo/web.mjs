// The demo's web server: says which pod answered. Plain JavaScript, so that any Node can run it.
import { createServer } from 'node:http'

const { PORT, HOST, TUTTI_POD, TUTTI_NODE } = process.env
const server = createServer((request, response) => {
  response.setHeader('content-type', 'text/plain')
  response.end(`hello from ${TUTTI_POD ?? 'a pod'} on ${TUTTI_NODE ?? 'some node'}\n`)
  if (request.url !== '/health') console.log(`${request.method} ${request.url}`)
})
server.listen(Number(PORT), HOST, () => console.log(`listening on ${HOST}:${PORT}`))
process.on('SIGTERM', () => server.close(() => process.exit(0)))

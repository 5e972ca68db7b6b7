// `npm start`: from a fresh checkout to the whole story in a virtual host, in one go.
import { build, checkNode, handover, installDependencies } from './setup.mjs'

checkNode()
installDependencies()
build()
const setup = handover(['lab', 'setup'])
if (setup !== 0) process.exit(setup)
const rest = process.argv.slice(2)
process.exit(handover(['lab', 'run', 'lab/home.yaml', '--html', 'handover-lab.html', ...rest]))

/** What QEMU reports when it cannot start, apart from VFIO: memory, files, KVM, the network. */
import type { Signature } from './signature.ts'

export const qemuSignatures: readonly Signature[] = [
  {
    id: 'hugepages-short',
    severity: 'error',
    pattern: /unable to map backing store for guest RAM: Cannot|prealloc\w{0,8}: preallocating memory failed/,
    cause: 'The host has not enough free huge pages of that size.',
    proof: 'grep HugePages_ /proc/meminfo; grep . /sys/kernel/mm/hugepages/*/free_hugepages',
    remedy: [
      'let apply set them aside: `host: { hugepages: … }`',
      'stop another VM that has huge pages',
      'leave out hugepages: true',
    ],
    source: 'QEMU softmmu/physmem.c file_ram_alloc, util/oslib-posix.c qemu_prealloc_mem',
    certainty: 'seen',
  },
  {
    id: 'memory-short',
    severity: 'error',
    pattern: /cannot set up guest memory '.{1,64}': Cannot allocate memory/,
    cause: 'The host has not enough free memory for this VM.',
    proof: 'free -m; handover status',
    remedy: ['give the VM less, or stop another one', 'handover plan shows what all VMs take together'],
    source: 'QEMU softmmu/physmem.c ram_block_add',
    certainty: 'seen',
  },
  {
    id: 'tap-refused',
    severity: 'error',
    pattern:
      /\/dev\/net\/tun[^:]{0,40}: (?:Operation not permitted|Permission)|network script \S{1,80} failed/,
    cause: 'Creating a tap interface needs root.',
    proof: 'id -u; ls -l /dev/net/tun',
    remedy: [
      'start the VM as root: sudo handover up',
      'in a container: allow /dev/net/tun and CAP_NET_ADMIN',
    ],
    source: 'QEMU net/tap-linux.c tap_open, net/tap.c launch_script',
    certainty: 'source',
  },
  {
    id: 'tap-in-use',
    severity: 'error',
    pattern: /could not configure \/dev\/net\/tun \((?<tap>\S{1,15})\): Device or resource busy/,
    cause: "Another program, mostly a QEMU that is still there, has the VM's tap interface.",
    proof: 'ip -d link show {tap}; handover status',
    remedy: ['wait until the other one has ended, or stop it: handover down VM'],
    source: 'QEMU net/tap-linux.c tap_open',
    certainty: 'source',
  },
  {
    id: 'image-in-use',
    severity: 'error',
    pattern: /Failed to (?:get|lock)\b.{0,30}"(?:write|consistent read)" lock/,
    cause: 'Another program writes to the disk image. Two writers would destroy what is on it.',
    proof: 'lslocks -o COMMAND,PID,PATH; handover status',
    remedy: [
      'stop the VM or the tool that has it (qemu-img, qemu-nbd, a backup)',
      'give each VM an image of its own; read-only: true where several only read',
    ],
    source: 'QEMU block/file-posix.c raw_check_lock_bytes',
    certainty: 'source',
  },
  {
    id: 'firmware-absent',
    severity: 'error',
    pattern: /could not load PC BIOS|OVMF\S{0,40}\.fd'?: No such file or directory/,
    cause: "The guest's firmware is not installed on this host.",
    proof: 'ls /usr/share/OVMF /usr/share/seabios',
    remedy: [
      'run handover plan: it names the package',
      'install ovmf or seabios, as your distribution calls them',
    ],
    source: 'QEMU hw/i386/x86.c x86_bios_rom_init, block/file-posix.c',
    certainty: 'seen',
  },
  {
    id: 'image-absent',
    severity: 'error',
    pattern: /Could not open '\/.{1,200}': No such file or directory/,
    cause: 'A file that the VM starts from is not there.',
    proof: 'handover plan SPEC',
    remedy: [
      'correct the path in the spec, or give the disk a size, so that it is made',
      'see whether the file system that holds it is mounted: findmnt',
    ],
    source: 'QEMU block/file-posix.c raw_open_common',
    certainty: 'seen',
  },
  {
    id: 'kvm-unavailable',
    severity: 'warning',
    pattern: /Could not access KVM kernel module|failed to initialize kvm/i,
    cause:
      'QEMU could not use KVM: the module is not loaded, virtualisation is off in the firmware, or the ' +
      'user may not open /dev/kvm.',
    proof: "ls -l /dev/kvm; grep -cwE 'vmx|svm' /proc/cpuinfo; journalctl -k -b | grep -i kvm",
    remedy: [
      'switch on VT-x or AMD-V (SVM) in the firmware setup',
      'modprobe kvm_intel, or kvm_amd',
      'start the VM as root, or as a member of the group kvm',
    ],
    source: 'QEMU accel/kvm/kvm-all.c kvm_init',
    certainty: 'source',
  },
]

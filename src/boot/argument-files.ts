/** Files that hold the kernel arguments of the next start, a command line in each line that is no comment. */
const holders =
  /^\/(?:etc\/default\/grub(?:\.d\/.*)?|etc\/kernel\/cmdline|etc\/nixos\/.*|etc\/dracut\.conf\.d\/.*|boot\/(?:syslinux\/|loader\/entries\/|grub\/|limine\.conf|refind_linux\.conf).*)$/

export function holdsKernelArguments(path: string): boolean {
  return holders.test(path)
}

/** Files with the kernel arguments of the next boot. Each line that is not a comment is a command line. */
const holders =
  /^\/(?:etc\/default\/grub(?:\.d\/.*)?|etc\/kernel\/cmdline|etc\/nixos\/.*|etc\/dracut\.conf\.d\/.*|boot\/(?:syslinux\/|loader\/entries\/|grub\/|limine\.conf|refind_linux\.conf).*)$/

export function holdsKernelArguments(path: string): boolean {
  return holders.test(path)
}

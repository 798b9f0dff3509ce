"""URLs that lead where no webhook may go, or that two parsers could read in two ways."""

# An address of this host, of a private network or of a cloud's metadata, in every spelling that some parser takes.
ADDRESSES = (
    "https://127.0.0.1/", "https://127.1/", "https://127.0.1/", "https://0/", "https://0.0.0.0/",
    "https://2130706433/",
    "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0x7f.1/", "https://017700000001/", "https://0177.0.0.1/",
    "https://0177.0.0.01/", "https://00000177.0.0.1/", "https://127.000.000.001/", "https://127.0.0.1.nip.io:1/",
    "https://10.0.0.1/", "https://10.1/", "https://167772161/", "https://0xa000001/", "https://012.0.0.1/",
    "https://172.16.0.1/", "https://2886729729/", "https://192.168.0.1/", "https://192.168.1/", "https://3232235521/",
    "https://0xc0.0xa8.0x0.0x1/", "https://0300.0250.0.1/", "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/latest/meta-data/", "https://0xa9fea9fe/", "https://0xa9.0xfe.0xa9.0xfe/",
    "https://0251.0376.0251.0376/", "https://025177524776/", "https://169.254.43518/", "https://169.16689662/",
    "https://0xa9.254.0251.254/", "https://169.254.170.2/v2/credentials", "https://100.64.0.1/",
    "https://100.100.100.200/", "https://198.18.0.1/", "https://224.0.0.1/", "https://255.255.255.255/",
    "https://240.0.0.1/", "https://192.0.0.192/", "https://4294967295/", "https://425.510.425.510/",
    "https://7147006462/", "https://127.0.0.1.:443/", "https://127.0.0.1./", "https://8.8.8.8/", "https://1.1/",
    "https://[::1]/", "https://[::]/", "https://[0:0:0:0:0:0:0:1]/", "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/", "https://[::ffff:169.254.169.254]/", "https://[::ffff:a9fe:a9fe]/",
    "https://[::127.0.0.1]/", "https://[64:ff9b::169.254.169.254]/", "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/", "https://[2002:a9fe:a9fe::1]/", "https://[2001:0:a9fe:a9fe::1]/",
    "https://[fd00:ec2::254]/latest/meta-data/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/", "https://[fc00::1]/", "https://[ff02::1]/", "https://[::1%25lo]/", "https://[v1.a]/",
    "https://[2606:4700:4700::1111]/", "https://[::ffff:0:127.0.0.1]/", "https://[0000::1]:443/", "https://::1/",
    "https://[::1]:9001/2018-06-01/runtime/invocation/next", "https://127.0.0.1:9001/2018-06-01/runtime/",
)  # fmt: skip
# Names of this host and this network.
NAMES = (
    "https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://localhost.localdomain/",
    "https://a.localhost/", "https://metadata/", "https://metadata.google.internal/computeMetadata/v1/",
    "https://instance-data.ec2.internal/", "https://printer.local/", "https://router.lan/", "https://db.corp/",
    "https://nas.home/", "https://wiki.intranet/", "https://router.home.arpa/", "https://1.0.0.127.in-addr.arpa/",
    "https://internal/", "https://example.com./", "https://example.com.:443/",
    "https://ex_ample.com/", "https://-example.com/", "https://example-.com/", "https://example..com/",
    "https://.example.com/", "https://example.0x7f/", "https://example.1/", "https://example.c/",
    "https://" + "a" * 64 + ".com/", "https://" + "a." * 130 + "com/",
)  # fmt: skip
# What different parsers take for different hosts.
TRICKS = (
    "https://good.example@127.0.0.1/", "https://user:pass@good.example/", "https://good.example:443@127.0.0.1/",
    "https://@good.example/", "https://good.example%40127.0.0.1/", "https://good.example%2f@127.0.0.1/",
    "https://good.example\\@127.0.0.1/", "https://127.0.0.1\\@good.example/", "https://good.example\\.evil.test/",
    "https:\\\\127.0.0.1\\", "https:/good.example/", "https:good.example/", "https:///good.example/",
    "https://good.example#@127.0.0.1/", "https://good.example/#x", "https://good.example?@127.0.0.1/",
    "https://good.example", "https://good.example?x=1", "https://good.example:/", "https://good.example:0/",
    "https://good.example:00443/", "https://good.example:443/", "https://good.example:65536/",
    "https://good.example:99999999999/", "https://good.example:-1/", "https://good.example:+443/",
    "https://good.example: 443/", "https://good.example:443abc/", "https://good.example:80:443/",
    "https://good.example:22/", "https://good.example:8080/", "https://good.example:9001/",
    "https://good.example:6379/",
    "https://good.example:\uff14\uff14\uff13/", " https://good.example/", "https://good.example/ ",
    "https:// good.example/",
    "https://good.example /", "https://go\tod.example/", "https://go\nod.example/",
    "https://good.example/\r\nHost: x",
    "https://good.example/a b", "\thttps://good.example/", "https://good.example/\x00",
    "https://good.example\x00.x.com/",
    "https://good.example/%", "https://good.example/%0", "https://good.example/%zz", "https://good%2eexample/",
    "https://%67ood.example/", "https://good%00.example/", "https://good\u3002example/", "https://good\uff0eexample/",
    "https://good\uff61example/", "https://\u24d6ood.example/",
    "https://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/", "https://\uff11\uff12\uff17.0.0.1/",
    "https://m\u00fcnchen.example/", "https://g\u043e\u043ed.example/", "https://good.example\u200b/",
    "https://good\u00ad.example/",
    "https://good.example/\u00fc", "https://\u2113ocalhost/", "https://good.example\u2028/", "https://Good.Example/",
    "HTTPS://good.example/", "Https://good.example/", "http://good.example/", "http://127.0.0.1/", "//good.example/",
    "good.example/", "", "/", "https://", "https:///", "ftp://good.example/", "gopher://127.0.0.1:6379/_x",
    "file:///etc/passwd", "dict://127.0.0.1:11211/", "ldap://127.0.0.1/", "unix:///var/run/docker.sock",
    "data:text/plain,x", "javascript:alert(1)", "jar:https://good.example!/", "https+unix://x/", "ws://good.example/",
    "https://[good.example]/", "https://good.example]/", "https://[::1]@good.example/", "https://good.example/<x>",
    'https://good.example/"', "https://good.example/`x`", "https://good.example/{x}", "https://good.example/|x",
    "https://good.example/^", "https://good.example,127.0.0.1/", "https://good.example;127.0.0.1/",
    "https://good.example&@127.0.0.1/", "https://good.example/" + "a" * 2_048,
)  # fmt: skip
HOSTILE = ADDRESSES + NAMES + TRICKS
GOOD = (
    "https://good.example/", "https://hooks.good.example/v1/tidemill?tenant=a&x=%20",
    "https://xn--mnchen-3ya.example/",
    "https://a-b.c1.co.uk/x/y/;p=1,2/~u/!$'()*+@:", "https://1.2.3.4.example.com/", "https://127.0.0.1.nip.io/",
    "https://good.example/?next=https://127.0.0.1/??",
)  # fmt: skip
# No string at all.
OTHERS = (None, 1, b"https://good.example/", ["https://good.example/"], {"url": "x"}, True)

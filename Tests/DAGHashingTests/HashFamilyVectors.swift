/// More digests that other implementations computed.
enum HashFamilyVectors {
    /// The message "abc" and the empty message.
    ///
    /// Keccak: the Keccak team's submission; SHA2 and SHA3: FIPS 180-4 and FIPS 202, the examples of the NIST;
    /// BLAKE2s: RFC 7693, appendix B. Computed again with pycryptodome and Python's hashlib.
    static let published: [(code: UInt64, abc: String, nothing: String)] = [
        (
            0x17,
            "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
            "6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7"
        ),
        (
            0x18,
            "5881092dd818bf5cf8a3ddb793fbcba74097d5c526a6d35f97b83351940f2cc8",
            "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26"
        ),
        (
            0x19,
            "483366601360a8771c6863080cc4114d8db44530f8f1e1ee4f94ea37e78b5739"
                + "d5a15bef186a5386c75744c0527e1faa9f8726e462a12a4feb06bd8801e751e4",
            "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f"
                + "d75dc4ddd8c0f200cb05019d67b592f6fc821c49479ab48640292eacb3b7c4be"
        ),
        (
            0x1a,
            "c30411768506ebe1c2871b1ee2e87d38df342317300a9b97a95ec6a8",
            "f71837502ba8e10837bdd8d365adb85591895602fc552b48b7390abd"
        ),
        (
            0x1b,
            "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
            "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
        ),
        (
            0x1c,
            "f7df1165f033337be098e7d288ad6a2f74409d7a60b49c36642218de161b1f99"
                + "f8c681e4afaf31a34db29fb763e3c28e",
            "2c23146a63a29acf99e73b88f8c24eaa7dc60aa771780ccc006afbfa8fe2479b"
                + "2dd2b21362337441ac12b515911957ff"
        ),
        (
            0x1d,
            "18587dc2ea106b9a1563e32b3312421ca164c7f1f07bc922a9c83d77cea3a1e5"
                + "d0c69910739025372dc14ac9642629379540c17e2a65b19d77aa511a9d00bb96",
            "0eab42de4c3ceb9235fc91acffe746b29c29a8c366b7c60e4e67c466f36a4304"
                + "c00fa9caf9d87976ba469bcbe06713b435f091ef2769fb160cdab33d3670680e"
        ),
        (
            0x1e,
            "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
        ),
        (
            0x1013,
            "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
            "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f"
        ),
        (
            0x1014,
            "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa",
            "6ed0dd02806fa89e25de060c19d3ac86cabb87d6a0ddd05c333b84f4"
        ),
        (
            0x1015,
            "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
            "c672b8d1ef56ed28ab87c3622c5114069bdd3ad7b8f9737498d0c01ecef0967a"
        ),
        (
            0xb260,
            "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982",
            "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9"
        ),
    ]

    /// The sizes of messages around the ends of the blocks of every function.
    static let sizes = [
        1, 63, 64, 65, 71, 72, 73, 103, 104, 105, 135, 136, 137, 143, 144, 145, 167, 168, 169, 1000,
    ]

    /// SHA-256 of the digests of messages of `sizes`, one after the other: pycryptodome, hashlib and the blake3 of
    /// PyPI.
    static let ofAllSizes: [(code: UInt64, digest: String)] = [
        (0x17, "45b5ad568648d8232a2c07fdfb4a5bf4150a3ec475734114272f00e536a11269"),
        (0x18, "cc1da3db2c6df0d544b05d76254343201d1610108f29c722e2f485b1ff6b3fc7"),
        (0x19, "dcdbc9a0c02cb370781de4d6a80a0ca7977426becd7f7be44bdfc696214cfa05"),
        (0x1a, "866fb077a28a3c2094ba23525fc4419bb3524a8db3c2ef4af9d9eeb5b1be6296"),
        (0x1b, "df0b773c70c555ec8cac67c9ebfc2c2392c3cb21e8c118dcae716b76597caf10"),
        (0x1c, "3cde49ed8775003e155b375fee97308506aa7481542403f8ca6450868ecdda53"),
        (0x1d, "6de55ee39542652f587f8a1ac6a4eacf8e98cfe0e13eacb715f05073bc551dae"),
        (0x1e, "1b84c3d373e781a2d11f8e03b53a62a6f94ea95887ba0c5a3b041f71110f72d6"),
        (0x1013, "960960e813ea17026f96d9534783b955902e6f787739bc181d1722c0b513de7e"),
        (0x1014, "a64d03d56c56b5dd319429e64ed642555e22579ed7bc3f833838baa2d85ff15a"),
        (0x1015, "5c0376781823114f6947716d57ad580a13de3bd9436f98d6d779e23fc501ede2"),
        (0xb260, "b9ac737576ecbc9432c1b90c84ca5cbec22846f402c7ad9bff71a3561ecdeec5"),
    ]

    /// SHA-256 of BLAKE2s of 200 bytes, for digests of 1 to 32 bytes, one after the other: hashlib.blake2s.
    static let blake2sOfEverySize =
        "3016204198a071ae8b7498a807fa408615c13c2f87d7af199c79e59556585ea8"

    /// BLAKE3 by the size of the message, whose byte i is i modulo 251.
    ///
    /// Source: BLAKE3-team/BLAKE3, test_vectors/test_vectors.json, member "hash"; the first 32 of 131 bytes.
    static let blake3: [(size: Int, digest: String)] = [
        (0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
        (1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"),
        (2, "7b7015bb92cf0b318037702a6cdd81dee41224f734684c2c122cd6359cb1ee63"),
        (3, "e1be4d7a8ab5560aa4199eea339849ba8e293d55ca0a81006726d184519e647f"),
        (4, "f30f5ab28fe047904037f77b6da4fea1e27241c5d132638d8bedce9d40494f32"),
        (5, "b40b44dfd97e7a84a996a91af8b85188c66c126940ba7aad2e7ae6b385402aa2"),
        (6, "06c4e8ffb6872fad96f9aaca5eee1553eb62aed0ad7198cef42e87f6a616c844"),
        (7, "3f8770f387faad08faa9d8414e9f449ac68e6ff0417f673f602a646a891419fe"),
        (8, "2351207d04fc16ade43ccab08600939c7c1fa70a5c0aaca76063d04c3228eaeb"),
        (63, "e9bc37a594daad83be9470df7f7b3798297c3d834ce80ba85d6e207627b7db7b"),
        (64, "4eed7141ea4a5cd4b788606bd23f46e212af9cacebacdc7d1f4c6dc7f2511b98"),
        (65, "de1e5fa0be70df6d2be8fffd0e99ceaa8eb6e8c93a63f2d8d1c30ecb6b263dee"),
        (127, "d81293fda863f008c09e92fc382a81f5a0b4a1251cba1634016a0f86a6bd640d"),
        (128, "f17e570564b26578c33bb7f44643f539624b05df1a76c81f30acd548c44b45ef"),
        (129, "683aaae9f3c5ba37eaaf072aed0f9e30bac0865137bae68b1fde4ca2aebdcb12"),
        (1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"),
        (1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"),
        (1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"),
        (2048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a"),
        (2049, "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030"),
        (3072, "b98cb0ff3623be03326b373de6b9095218513e64f1ee2edd2525c7ad1e5cffd2"),
        (3073, "7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3"),
        (4096, "015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969"),
        (4097, "9b4052b38f1c5fc8b1f9ff7ac7b27cd242487b3d890d15c96a1c25b8aa0fb995"),
        (5120, "9cadc15fed8b5d854562b26a9536d9707cadeda9b143978f319ab34230535833"),
        (5121, "628bd2cb2004694adaab7bbd778a25df25c47b9d4155a55f8fbd79f2fe154cff"),
        (6144, "3e2e5b74e048f3add6d21faab3f83aa44d3b2278afb83b80b3c35164ebeca205"),
        (6145, "f1323a8631446cc50536a9f705ee5cb619424d46887f3c376c695b70e0f0507f"),
        (7168, "61da957ec2499a95d6b8023e2b0e604ec7f6b50e80a9678b89d2628e99ada77a"),
        (7169, "a003fc7a51754a9b3c7fae0367ab3d782dccf28855a03d435f8cfe74605e7817"),
        (8192, "aae792484c8efe4f19e2ca7d371d8c467ffb10748d8a5a1ae579948f718a2a63"),
        (8193, "bab6c09cb8ce8cf459261398d2e7aef35700bf488116ceb94a36d0f5f1b7bc3b"),
        (16384, "f875d6646de28985646f34ee13be9a576fd515f76b5b0a26bb324735041ddde4"),
        (31744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47"),
        (102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"),
    ]

    /// The 131 bytes of the digest of 1025 bytes, from the same source.
    static let blake3Extended =
        "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"
        + "f4c4a22b4b399155358a994e52bf255de60035742ec71bd08ac275a1b51cc6bf"
        + "e332b0ef84b409108cda080e6269ed4b3e2c3f7d722aa4cdc98d16deb554e562"
        + "7be8f955c98e1d5f9565a9194cad0c4285f93700062d9595adb992ae68ff1280"
        + "0ab67a"
}

//! RSA numbers that no key should have, and honest ones to be spoiled, in hexadecimal.

/// Two primes drawn at random.
pub(super) const HONEST: &str = "\
    c97e762e650ec436687bc4950863470180daded6c972999e22a5078d660e19cd72aa382103cb7e1344009fcc0c574ebb\
    b15e2320e32880eb56055d191e30cb69f8f1fa655e48d59601b056c984dff338f93320d688fd17e8b408ff487451ff8d\
    1e8e3daa3cf466aee9f22165c03adabee800bf8a0b3ec11b93f8abbc6372f2d478f50a24fa1e1f1d4687acea23b24849\
    a74b29bd44d50a50fa7aff69d5e1a47887c2b73fa290b064e6d4e473bdcc611881356a1f84cea9b183d4f8411206fbbc\
    ac07dab10ae24600f7db93d05a13d43a5ed347b158984ccb80829a9660593b054f1a9066dd5297368d47b2097a5bd2a3\
    77597de410756b49c9f480196b080b79";

/// Two primes of the form of CVE-2017-15361.
pub(super) const ROCA: &str = "\
    acf5271f58abdb2e3501670d9123371f15c6cc192cf6e9061e0be67b3dc7dd76561cb41a1206ab2f3ffb8a411e376f4c\
    3ba4a5787594eb4b022fea0b0431cd746ac79ccd3f0d8a96168e361c79fe42753650a4c15dd95e6ffecaad4f9d4f8114\
    b38e4eb497b827ebcd29db8823530e5c6bec68f5b567913a9bcd861fdc701f2724b995744e581e99f0bca210389d7c35\
    9cecab44aca15ef5d17948bfb3088542f2fe1fe64ff34da44819036a9e1c35270807ee40c1cb3af8bd82df7c6eaeaae8\
    1efae72f02a51ef44ce3cb906856ba0504708ffbabb4c2db64c8a57b0425bd69916b1aa6556ab00035d2c3a56a78c636\
    3dae932fbaaccd643cfe1fa631aad159";

/// The product of two primes that follow each other.
pub(super) const NEIGHBOURS: &str = "\
    c6874ca6231eceace02367167133560099e8d39d0fba43d263c9bec704ec63ab8a2b3d9b3c4394f02877a2fd062bed40\
    ed44d35b41daecdd8a3d99be93458aa83e633fb9ead05fee953f360f856cbe13f663035d5482578f09f54e41075dc6af\
    a1063323723e6d65fdff7154578eb4e234d03c7748e7d9a6c7dbc182ddf180482ab4ad16eca9e5b9c27a3caf61399384\
    458cd3aff10aeccb4a3c4d185e7e3d75c29dc2a87de11abbd37f5738c595bd5a3016ef22483b54b05acbd3ac6a12737a\
    9fdd16b2474a9d9a677bac2342b4528c8ed8ab958fcf8643b4689c971bd0f44d104a406b0c7ec1dae4eeb67b107d97ac\
    de6c8738d62bae36207fc57cb68cd931";

/// The octets of such a number.
pub(super) fn octets(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

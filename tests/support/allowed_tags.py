"""What a cleaned picture may still say, by ExifTool's group (family 1, without its number).

Structure, and what rendering needs. Everything else is a finding.
"""

from __future__ import annotations

GROUPS = frozenset(
    """
    ExifTool System File Composite JFIF PNG-pHYs PNG-cHRM PNG-iCCP Adobe GIF RIFF
    ICC-header ICC_Profile ICC-view ICC-meas ICC-chrm ICC-clrt AVI XMP-hdrgm
    XMP-HDRGainMap MPImage
    """.split()
)

_TAGS = {
    "Apple": """
        HDRGain HDRHeadroom
    """,
    "Channel": """
        ChannelColorData ChannelColorIndicates ChannelColorSpace ChannelOpacity
    """,
    "ExifIFD": """
        ColorSpace ComponentsConfiguration ExifImageHeight ExifImageWidth
        ExifVersion FlashpixVersion
    """,
    "Google": """
        GainMapImage
    """,
    "IFD": """
        AnalogBalance AsShotNeutral BaselineExposure BaselineNoise BaselineSharpness
        BitsPerSample CalibrationIlluminant1 CalibrationIlluminant2 ChromaBlurRadius
        CameraCalibration1 CameraCalibration2 ColorMap ColorMatrix1 ColorMatrix2
        Compression DNGBackwardVersion DNGVersion ExtraSamples FillOrder ImageHeight ImageWidth
        InkSet JPEGTables LinearResponseLimit MaxSampleValue MinSampleValue Orientation
        OtherImageStart PageNumber
        PhotometricInterpretation PlanarConfiguration Predictor PreviewImage
        PreviewImageLength PreviewImageStart PrimaryChromaticities
        ReferenceBlackWhite ResolutionUnit RowsPerStrip SMaxSampleValue SMinSampleValue
        SampleFormat SamplesPerPixel ShadowScale StripByteCounts StripOffsets SubfileType T4Options
        T6Options ThumbnailTIFF TileByteCounts TileLength TileOffsets TileWidth TransferFunction
        UniqueCameraModel WhitePoint XPosition XResolution YCbCrPositioning YCbCrSubSampling
        YPosition YResolution
    """,
    "InteropIFD": """
        InteropIndex
    """,
    "Jpeg2000": """
        BitsPerComponent CaptureXResolution CaptureXResolutionUnit
        CaptureYResolution CaptureYResolutionUnit ColorSpace ColorSpecApproximation
        ColorSpecMethod ColorSpecPrecedence CompatibleBrands Compression DisplayXResolution
        DisplayXResolutionUnit DisplayYResolution DisplayYResolutionUnit ImageHeight
        ImageWidth MajorBrand MinorVersion NumberOfComponents
    """,
    "MPF": """
        MPFVersion NumberOfImages
    """,
    "Meta": """
        Free MetaImageSize PrimaryItemReference Unknown_idat
    """,
    # How a reader opens it, and reads it aloud.
    "PDF": """
        EmbeddedImage EmbeddedImageColorSpace EmbeddedImageFilter EmbeddedImageHeight
        EmbeddedImageWidth HasXFA Language Linearized PDFVersion PageCount PageLayout PageMode
        TaggedPDF
    """,
    "PNG": """
        AnimationFrames AnimationPlays BackgroundColor BitDepth BlueX BlueY
        ColorType Compression Filter Gamma GreenX GreenY ImageHeight ImageOffset
        ImageWidth Interlace Palette PaletteHistogram ProfileName RedX RedY
        SRGBRendering SignificantBits StereoMode SubjectPixelHeight
        SubjectPixelWidth SubjectUnits SuggestedPalette Transparency
        VirtualImageHeight VirtualImageWidth VirtualPageUnits WhitePointX
        WhitePointY
    """,
    "PNG-cICP": """
        ColorPrimaries MatrixCoefficients TransferCharacteristics VideoFullRangeFlag
    """,
    "Photoshop": """
        LayerIDs
        BitDepth ColorHalftoningInfo ColorMode ColorTransferFuncs Compression
        DisplayedUnitsX DisplayedUnitsY GlobalAltitude GlobalAngle GridGuidesInfo
        ImageHeight ImageWidth LayerBlendModes LayerColors LayerCount LayerNames
        LayerOpacities LayerRectangles LayerUnicodeNames LayerVisible NumChannels
        Photoshop_0x1000 PixelAspectRatio XResolution YResolution
    """,
    "QuickTime": """
        CleanAperture Mirroring PixelAspectRatio Unknown_ster
        AV1ConfigurationVersion AuxiliaryImageType AverageFrameRate BitDepthChroma
        BitDepthLuma ChromaFormat ChromaSamplePosition ColorPrimaries ColorProfiles
        CompatibleBrands ConstantFrameRate ConstraintIndicatorFlags CreateDate
        CurrentTime Duration GenProfileCompatibilityFlags GeneralLevelIDC
        GeneralProfileIDC GeneralProfileSpace GeneralTierFlag
        HEVCConfigurationVersion HandlerType HighBitDepth ImagePixelDepth
        ImageSpatialExtent InitialDelaySamples MajorBrand MatrixCoefficients
        MatrixStructure MaxContentLightLevel MaxPicAverageLightLevel MediaData
        MediaDataOffset MediaDataSize MinSpatialSegmentationIDC MinorVersion
        ModifyDate MovieHeaderVersion NextTrackID NumTemporalLayers ParallelismType
        PosterTime PreferredRate PreferredVolume PreviewDuration PreviewTime
        Rotation SelectionDuration SelectionTime SeqLevelIdx0 SeqProfile SeqTier0
        TemporalIDNested TimeScale TransferCharacteristics TwelveBit Unknown_altr
        Unknown_free VideoFullRangeFlag
        Free MovieFragmentSequence Unknown_mfra Unknown_mvex Unknown_sidx Unknown_tfdt
        Unknown_tfhd Unknown_trun Wide
    """,
    "SVG": """
        Color-interpolation Color-rendering Enable-background Font-size Font-style Font-weight ID
        ImageHeight ImageWidth Image-rendering Overflow SVGVersion Shape-rendering
        Stroke-miterlimit Style TagX TagY Text-rendering ViewBox Xmlns
    """,
    "SubIFD": """
        ActiveArea AntiAliasStrength BayerGreenSplit BestQualityScale BitsPerSample
        BlackLevel BlackLevelRepeatDim CFALayout CFAPattern2 CFAPlaneColor
        CFARepeatPatternDim Compression DefaultCropOrigin DefaultCropSize
        DefaultScale ImageHeight ImageWidth JpgFromRaw JpgFromRawLength
        JpgFromRawStart MaskedAreas PhotometricInterpretation PlanarConfiguration
        PreviewImage PreviewImageLength PreviewImageStart ReferenceBlackWhite
        ResolutionUnit RowsPerStrip SamplesPerPixel SubfileType TileByteCounts
        TileLength TileOffsets TileWidth WhiteLevel XResolution YCbCrCoefficients
        YCbCrPositioning YCbCrSubSampling YResolution
    """,
    "Track": """
        ChunkOffset GraphicsMode HandlerType ImageHeight ImageWidth MatrixStructure
        MediaCreateDate MediaDuration MediaHeaderVersion MediaLanguageCode
        MediaModifyDate MediaTimeScale OpColor OtherFormat SampleSizes SampleToChunk Unknown_btrt
        SyncSampleTable TimeToSampleTable TrackCreateDate TrackDuration
        TrackHeaderVersion TrackID TrackLayer TrackModifyDate TrackVolume
        Unknown_auxi Unknown_auxl Unknown_av1C Unknown_ccst Unknown_colr
        Unknown_edts Unknown_free
        AVCConfiguration AudioBitsPerSample AudioChannels AudioFormat AudioSampleRate
        AverageBitrate Balance BitDepth BufferSize CompositionTimeToSample CompressorID
        HandlerClass IdependentAndDisposableSamples LayoutFlags MaxBitrate
        PurchaseFileFormat SampleGroupDescription SampleToGroup SourceImageHeight
        SourceImageWidth Unknown_alac Unknown_dfLa Unknown_dec3 Unknown_esds Unknown_hvcC
        Unknown_vpcC VideoFrameRate
        XResolution YResolution
    """,
    "XMP-GContainer": """
        DirectoryItemLength DirectoryItemMime DirectoryItemSemantic
    """,
    "XMP-apdi": """
        AuxiliaryImageType
    """,
    "XMP-tiff": """
        Orientation
    """,
    "ZIP": """
        ZipBitFlag ZipCRC ZipCompressedSize ZipCompression ZipFileComment ZipFileName
        ZipModifyDate ZipRequiredVersion ZipUncompressedSize
    """,
}
TAGS = {group: frozenset(names.split()) for group, names in _TAGS.items()}
